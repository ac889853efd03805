// Fills an empty Postgres: what the catalogue and the Billing Engine would have written, and payout settings of our own
// with everything that a save leaves behind. Through the stock HTTP driver, as the database's owner.
import { neon } from "@neondatabase/serverless";
import { HOUR_MS } from "../../contract/time-zone.ts";
import { pointDriverAt } from "../../store/postgres/neon-address.ts";
import type { PostgresConnection } from "../../store/postgres/postgres.ts";
import { SAVE_PAYOUT_SETTINGS } from "../../store/postgres/save-payout-settings-sql.ts";
import type { SeedCreator, SeedItem } from "./catalogue.ts";
import { chanceOf } from "./deterministic-hash.ts";
import { createRevenue } from "./revenue-model.ts";

/** Rows in one statement: about a megabyte, a tenth of what the protocol takes. */
const ROWS_PER_INSERT = 4_000;

/** Tables by the columns that are written, with their types in a row of JSON. */
const tables = {
  content: `content_id text, creator_id text, title text, kind text, status text, published_at timestamptz, duration_s int,
    thumbnail_url text, view_count bigint, view_count_at timestamptz, created_at timestamptz`,
  payout_history: `payout_id text, creator_id text, currency text, amount_minor bigint, status text, method text,
    reference text, period_start date, period_end date, created_at timestamptz, arrival_date date, failure_code text,
    failure_message text`,
  revenue_entries: `entry_id text, creator_id text, content_id text, source text, currency text, amount_minor bigint,
    status text, payout_id text, accrued_at timestamptz, updated_at timestamptz`,
} as const;

/** Runs statements in one transaction. */
type Run = (statements: { text: string; parameters: (string | number | null)[] }[]) => Promise<unknown>;

/**
 * Loads the catalogue, revenue, payouts and settings as of `now`.
 * @param itemViews each item's views in the history, for the catalogue's own count
 */
export async function loadPostgres(
  connection: PostgresConnection,
  creators: readonly SeedCreator[],
  itemViews: ReadonlyMap<string, number>,
  now: number,
): Promise<void> {
  const sql = neon(connection.connectionString);
  const run: Run = (statements) => {
    pointDriverAt(connection);
    return sql.transaction(statements.map(({ text, parameters }) => sql.query(text, parameters)));
  };
  const revenues = creators.map((creator) => createRevenue(creator, now));
  const content = creators.flatMap(({ creatorId, items }) =>
    items.map((item) => contentRow(creatorId, item, itemViews, now)),
  );
  await insert(run, "content", content);
  await insert(
    run,
    "payout_history",
    revenues.flatMap(({ payouts }) => payouts),
  );
  await insert(
    run,
    "revenue_entries",
    revenues.flatMap(({ entries }) => entries),
  );
  await run(creators.flatMap((creator) => settingsOf(creator, now)));
  await run([{ text: "ANALYZE", parameters: [] }]);
}

async function insert(run: Run, table: keyof typeof tables, rows: readonly object[]): Promise<void> {
  const definition = tables[table];
  const columns = definition.split(",").map((column) => column.trim().split(" ")[0]);
  for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
    await run([
      {
        text: `INSERT INTO ${table} (${columns.join(", ")}) SELECT * FROM json_to_recordset($1::json) AS rows(${definition})`,
        parameters: [JSON.stringify(rows.slice(start, start + ROWS_PER_INSERT))],
      },
    ]);
  }
}

function contentRow(creatorId: string, item: SeedItem, itemViews: ReadonlyMap<string, number>, now: number): object {
  const nowHour = Math.floor(now / HOUR_MS);
  const hoursBefore = item.publishedAt === null ? 0 : Math.max(0, item.firstHour - item.publishedAt / HOUR_MS);
  const viewsBefore = Math.floor((hoursBefore * item.viewsPerHourMilli) / 6_000);
  const isPublic = item.publishedAt !== null && item.publishedAt <= now;
  return {
    content_id: item.contentId,
    creator_id: creatorId,
    title: item.title,
    kind: item.kind,
    status: item.status,
    published_at: item.publishedAt === null ? null : new Date(item.publishedAt).toISOString(),
    duration_s: item.durationSeconds,
    thumbnail_url: null,
    view_count: isPublic ? viewsBefore + (itemViews.get(item.contentId) ?? 0) : null,
    view_count_at: isPublic ? new Date(nowHour * HOUR_MS).toISOString() : null,
    created_at: new Date(item.createdAt).toISOString(),
  };
}

/** Four of five creators have said where their money goes; some changed it yesterday and are on hold. */
function settingsOf(creator: SeedCreator, now: number): { text: string; parameters: (string | number | null)[] }[] {
  const { creatorId, creatorNo, currencies } = creator;
  if (creatorNo % 5 === 4) {
    return [];
  }
  const chance = chanceOf(4, creatorNo);
  const currency = currencies[0] ?? "NGN";
  const account = () =>
    chance.between(0x1000000, 0xfffffff).toString(36) + chance.between(0x1000000, 0xfffffff).toString(36);
  const save = (version: number, at: number) => ({
    text: SAVE_PAYOUT_SETTINGS,
    parameters: [
      creatorId,
      currency,
      currency === "NGN" ? "paystack" : "stripe",
      currency === "NGN" ? `RCP_${account()}` : null,
      currency === "NGN" ? null : `acct_${account()}`,
      version === 1 ? null : `{${version - 1}}`,
      null,
      "",
      new Date(at).toISOString(),
      72,
      creatorId,
      `seed-${creatorNo}-${version}`,
    ],
  });
  const first = save(1, now - chance.between(30, 500) * 24 * HOUR_MS);
  return creatorNo % 11 === 7 ? [first, save(2, now - 20 * HOUR_MS)] : [first];
}
