// The payouts that the Billing Engine has made, newest first.
import { z } from "zod";
import type { CreatorId } from "../../contract/ids.ts";
import { minorUnitsSchema } from "../../contract/money.ts";
import { payoutSchema, type Payout } from "../../contract/revenue.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Statement } from "./postgres.ts";
import { dateTextSchema, timestampSchema } from "./row-values.ts";

const ORDER = "payouts";
const KEY = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d){0,2}$/;

const rowSchema = z
  .object({
    payout_id: z.string(),
    status: z.string(),
    currency: payoutSchema.shape.currency,
    amount_minor: minorUnitsSchema,
    method: z.string(),
    reference: z.string().nullable(),
    period_start: dateTextSchema.nullable(),
    period_end: dateTextSchema.nullable(),
    created_at: timestampSchema,
    arrival_date: dateTextSchema.nullable(),
    failure_code: z.string().nullable(),
    failure_message: z.string().nullable(),
    sort_key: z.string(),
  })
  .transform((row) => ({
    key: row.sort_key,
    payout: {
      payoutId: row.payout_id,
      status: row.status,
      currency: row.currency,
      amountMinor: row.amount_minor,
      method: row.method,
      reference: row.reference,
      periodStart: row.period_start,
      periodEnd: row.period_end,
      createdAt: row.created_at,
      arrivalDate: row.arrival_date,
      failureCode: row.failure_code,
      failureMessage: row.failure_message,
    } satisfies Payout,
  }));
type Row = z.output<typeof rowSchema>;

/**
 * One row more than the page holds.
 * @throws CursorError
 */
export function payoutRows(creatorId: CreatorId, page: { limit: number; cursor?: string | undefined }): Statement<Row> {
  const after = page.cursor === undefined ? null : decodeCursor(ORDER, KEY, page.cursor);
  return {
    name: "payouts",
    text: `
      SELECT payout_id, status, currency, amount_minor, method, reference, period_start::text, period_end::text,
        created_at, arrival_date::text, failure_code, failure_message, created_at::text AS sort_key
      FROM payout_history
      WHERE creator_id = $1
        AND ($2::text IS NULL OR (created_at, payout_id) < ($2::text::timestamptz, $3::text))
      ORDER BY payout_history.created_at DESC, payout_id DESC
      LIMIT $4::int`,
    parameters: [creatorId, after?.key ?? null, after?.id ?? null, page.limit + 1],
    row: rowSchema,
  };
}

/** The page that such rows make. */
export function payoutPage(rows: readonly Row[], limit: number): { items: Payout[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(({ payout }) => payout),
    nextCursor:
      last !== undefined && rows.length > limit
        ? encodeCursor(ORDER, { key: last.key, id: last.payout.payoutId })
        : null,
  };
}
