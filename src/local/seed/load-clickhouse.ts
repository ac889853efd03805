// Fills an empty ClickHouse: what the metrics pipeline would have written in two years, made by the engine itself from a
// few thousand rows of inputs, and the read models. Through the stock HTTP driver.
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from "@clickhouse/client-web";
import { z } from "zod";
import { HOUR_MS } from "../../contract/time-zone.ts";
import type { ClickHouseConnection } from "../../store/clickhouse/analytics.ts";
import { audienceQuery } from "./audience-model.ts";
import type { SeedCreator } from "./catalogue.ts";
import { metricsQuery, seedItemColumns, seedItemRow } from "./metrics-model.ts";
import { seedCreatorColumns, seedCreatorRow, subscribersQuery } from "./subscriber-model.ts";

/** The largest statement takes ten seconds on two quiet cores. */
const STATEMENT_TIMEOUT_MS = 300_000;

/** Rows are all different, so nothing needs to be recognised as a repetition; both cores write. */
const bulk = { insert_deduplicate: 0, max_insert_threads: "2", wait_end_of_query: 1 } as const;

/**
 * Loads the catalogue's metrics up to the full hour before `now`.
 * @returns each item's views in the history
 * @throws Error when there are metrics already: they would be added to
 */
export async function loadClickHouse(
  connection: ClickHouseConnection,
  creators: readonly SeedCreator[],
  now: number,
): Promise<Map<string, number>> {
  const client = createClient({
    ...connection,
    request_timeout: STATEMENT_TIMEOUT_MS,
    // It warns of long time-outs behind load balancers; there is none before an engine of our own.
    log: { level: ClickHouseLogLevel.OFF },
  });
  try {
    await refuseWhatIsFilled(client);
    const nowHour = Math.floor(now / HOUR_MS);
    await loadInputs(client, creators);
    const fill = (table: string, columns: string, query: string) =>
      client.command({
        query: `INSERT INTO ${table} (${columns}) ${query}`,
        query_params: { now_hour: nowHour },
        clickhouse_settings: bulk,
      });
    // Measured: filling the read models afterwards takes three quarters of the time that their views take on the way.
    const views = await readViews(client);
    for (const { name } of views) {
      await client.command({ query: `DETACH TABLE ${name}` });
    }
    await fill(
      "content_metrics",
      "creator_id, content_id, period, views, watch_time_s, likes, shares, completions",
      metricsQuery,
    );
    for (const { name, target, query } of views) {
      await client.command({ query: `INSERT INTO ${target} ${query}`, clickhouse_settings: bulk });
      await client.command({ query: `ATTACH TABLE ${name}` });
    }
    await fill("subscriber_metrics", "creator_id, period, gained, lost, count", subscribersQuery);
    for (const dimension of ["country", "device"] as const) {
      await fill(
        `audience_${dimension}_daily`,
        `creator_id, day, ${dimension}, views, viewers`,
        audienceQuery(dimension),
      );
    }
    await client.insert({
      table: "ingest_progress",
      values: ["content_metrics", "subscriber_metrics", "audience"].map((source) => ({
        source,
        complete_through: nowHour * 3_600,
        updated_at: new Date(now).toISOString().slice(0, -1).replace("T", " "),
      })),
      format: "JSONEachRow",
    });
    await client.command({ query: "DROP TABLE seed_items" });
    await client.command({ query: "DROP TABLE seed_creators" });
    return await readItemViews(client);
  } finally {
    await client.close();
  }
}

async function refuseWhatIsFilled(client: ClickHouseClient): Promise<void> {
  const rows = await readRows(client, "SELECT 1 AS found FROM content_metrics LIMIT 1", z.object({ found: z.int() }));
  if (rows.length > 0) {
    throw new Error("The ClickHouse database holds metrics already: the seed is for an empty one.");
  }
}

async function loadInputs(client: ClickHouseClient, creators: readonly SeedCreator[]): Promise<void> {
  const tables = [
    {
      name: "seed_items",
      columns: seedItemColumns,
      values: creators.flatMap(({ creatorId, items }) =>
        items.filter(({ firstHour, endHour }) => firstHour < endHour).map((item) => seedItemRow(creatorId, item)),
      ),
    },
    { name: "seed_creators", columns: seedCreatorColumns, values: creators.map((creator) => seedCreatorRow(creator)) },
  ];
  for (const { name, columns, values } of tables) {
    const definition = Object.entries(columns).map(([column, type]) => `${column} ${type}`);
    await client.command({ query: `DROP TABLE IF EXISTS ${name}` });
    await client.command({ query: `CREATE TABLE ${name} (${definition.join(", ")}) ENGINE = MergeTree ORDER BY no` });
    await client.insert<Record<string, string | number>>({ table: name, values, format: "JSONEachRow" });
  }
}

/** The materialized views that content_metrics feeds, and the queries by which they fill their tables. */
function readViews(client: ClickHouseClient): Promise<{ name: string; target: string; query: string }[]> {
  return readRows(
    client,
    `SELECT name, replaceRegexpOne(name, '_mv$', '') AS target, as_select AS query
     FROM system.tables
     WHERE database = currentDatabase() AND engine = 'MaterializedView'
     ORDER BY name`,
    z.object({ name: z.string(), target: z.string(), query: z.string() }),
  );
}

async function readItemViews(client: ClickHouseClient): Promise<Map<string, number>> {
  const rows = await readRows(
    client,
    "SELECT content_id, toString(sum(views)) AS views FROM content_metrics_monthly GROUP BY content_id",
    z.object({ content_id: z.string(), views: z.coerce.number().int() }),
  );
  return new Map(rows.map(({ content_id, views }) => [content_id, views]));
}

async function readRows<Row>(client: ClickHouseClient, query: string, row: z.ZodType<Row>): Promise<Row[]> {
  const result = await client.query({ query, format: "JSONEachRow" });
  return z.array(row).parse(await result.json());
}
