// Statements about the Billing Engine's entries. Sums are numerics in Postgres and integers in text from there on.
import { z } from "zod";
import { contentIdSchema, type CreatorId } from "../../contract/ids.ts";
import { currencySchema, minorUnitsSchema } from "../../contract/money.ts";
import { revenueSources, revenueStatuses } from "../../contract/revenue.ts";
import type { TimeBucket } from "../../contract/time-range.ts";
import type { Statement } from "./postgres.ts";
import { timestampSchema } from "./row-values.ts";

const instant = (ms: number) => new Date(ms).toISOString();

const entrySumSchema = z.object({
  /** Counted from 0. */
  bucket: z.int().min(0),
  currency: currencySchema,
  source: z.enum(revenueSources),
  status: z.enum(revenueStatuses),
  amount: minorUnitsSchema,
  payout_ids: z.array(z.string()),
});
/** What was earned in one bucket, by currency, source and status. */
export type EntrySum = z.output<typeof entrySumSchema>;

/** Sums by bucket of time. The buckets are adjoining, in order, and at least one. */
export function entrySums(creatorId: CreatorId, buckets: readonly TimeBucket[]): Statement<EntrySum> {
  return {
    name: "revenue sums",
    text: `
      SELECT width_bucket(accrued_at, $2::timestamptz[]) - 1 AS bucket, currency, source, status,
        sum(amount_minor)::text AS amount,
        coalesce(json_agg(DISTINCT payout_id) FILTER (WHERE payout_id IS NOT NULL), '[]') AS payout_ids
      FROM revenue_entries
      WHERE creator_id = $1 AND accrued_at >= ($2::timestamptz[])[1] AND accrued_at < $3::timestamptz
      GROUP BY 1, 2, 3, 4
      ORDER BY 1, 2, 3, 4`,
    parameters: [creatorId, buckets.map(({ startMs }) => instant(startMs)), instant(buckets.at(-1)?.endMs ?? 0)],
    row: entrySumSchema,
  };
}

const itemSumSchema = z.object({
  currency: currencySchema,
  content_id: contentIdSchema,
  title: z.string().nullable(),
  amount: minorUnitsSchema,
});
/** What one item earned in one currency. */
export type ItemSum = z.output<typeof itemSumSchema>;

/** The highest earning items of each currency, at most `limit` of each. */
export function itemSums(creatorId: CreatorId, span: TimeBucket, limit: number): Statement<ItemSum> {
  return {
    name: "revenue by item",
    text: `
      SELECT ranked.currency, ranked.content_id, c.title, ranked.total::text AS amount
      FROM (
        SELECT currency, content_id, sum(amount_minor) AS total,
          row_number() OVER (PARTITION BY currency ORDER BY sum(amount_minor) DESC, content_id) AS rank
        FROM revenue_entries
        WHERE creator_id = $1 AND accrued_at >= $2::timestamptz AND accrued_at < $3::timestamptz
          AND content_id IS NOT NULL
        GROUP BY currency, content_id
      ) ranked
      LEFT JOIN content c ON c.content_id = ranked.content_id AND c.creator_id = $1
      WHERE ranked.rank <= $4::int
      ORDER BY ranked.currency, ranked.rank`,
    parameters: [creatorId, instant(span.startMs), instant(span.endMs), limit],
    row: itemSumSchema,
  };
}

const freshnessSchema = z.object({ as_of: timestampSchema.nullable() });

/** When the Billing Engine last wrote anything, for whomever: how far its silence can be trusted. One row. */
export function revenueFreshness(nowMs: number): Statement<z.output<typeof freshnessSchema>> {
  return {
    name: "revenue freshness",
    // A clock that runs ahead elsewhere must not make tomorrow complete.
    text: "SELECT least(max(updated_at), $1::timestamptz) AS as_of FROM revenue_entries",
    parameters: [instant(nowMs)],
    row: freshnessSchema,
  };
}

const totalSchema = z.object({
  currency: currencySchema,
  estimated: minorUnitsSchema,
  final: minorUnitsSchema,
  paid: minorUnitsSchema,
});

/** What was earned in a span, one row for each currency, by how settled it is. */
export function revenueTotals(creatorId: CreatorId, span: TimeBucket): Statement<z.output<typeof totalSchema>> {
  return {
    name: "revenue totals",
    text: `
      SELECT currency,
        coalesce(sum(amount_minor) FILTER (WHERE status = 'estimated'), 0)::text AS estimated,
        coalesce(sum(amount_minor) FILTER (WHERE status = 'final'), 0)::text AS final,
        coalesce(sum(amount_minor) FILTER (WHERE status = 'paid'), 0)::text AS paid
      FROM revenue_entries
      WHERE creator_id = $1 AND accrued_at >= $2::timestamptz AND accrued_at < $3::timestamptz
      GROUP BY currency
      ORDER BY currency`,
    parameters: [creatorId, instant(span.startMs), instant(span.endMs)],
    row: totalSchema,
  };
}
