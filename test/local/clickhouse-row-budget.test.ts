// Questions about the largest creator stay small: the rows that each reads are counted by the engine itself, with ten
// million rows of one creator behind the read models.
import { afterAll, beforeAll, expect, test } from "vitest";
import { onFullHours, resolveTimeRange, timeRangeQuerySchema } from "../../src/contract/time-range.ts";
import { startClickHouseEndpoint, type ClickHouseEndpoint } from "../../src/local/clickhouse/endpoint.ts";
import { createCatalogue, DEMO_CREATOR_ID, type SeedCreator } from "../../src/local/seed/catalogue.ts";
import { loadClickHouse } from "../../src/local/seed/load-clickhouse.ts";
import { createAnalytics, type Analytics, type AskedQuestion } from "../../src/store/clickhouse/analytics.ts";
import { readAudience, readViewersOfCells } from "../../src/store/clickhouse/audience.ts";
import { CircuitBreaker } from "../../src/store/clickhouse/circuit-breaker.ts";
import { readCreatorSeries, readItemSeries } from "../../src/store/clickhouse/engagement-series.ts";
import { hasMetrics, readFirstDay, readItemDays, type ItemDays } from "../../src/store/clickhouse/item-benchmark.ts";
import { readRanking } from "../../src/store/clickhouse/item-ranking.ts";
import { migrateClickHouse } from "../../src/store/clickhouse/migrate.ts";
import { readSubscribers } from "../../src/store/clickhouse/subscriber-series.ts";

const MOST_ROWS = 50_000;
const MOST_ROWS_OF_A_RANKING = 100_000;

// The end of a month: the days outside whole months are as many as they can be.
const now = Date.parse("2026-11-30T20:30:00Z");

let endpoint: ClickHouseEndpoint;
let analytics: Analytics;
let demo: SeedCreator;
let asked: AskedQuestion[];

beforeAll(async () => {
  endpoint = await startClickHouseEndpoint();
  await migrateClickHouse(endpoint);
  const [largest] = createCatalogue("full", now);
  if (largest?.creatorId !== DEMO_CREATOR_ID) {
    throw new Error("the first creator is not the demo creator");
  }
  demo = largest;
  await loadClickHouse(endpoint, [demo], now);
  asked = [];
  const { url, database, reader } = endpoint;
  const clock = { now: () => Date.now() };
  analytics = createAnalytics(
    { url, database, ...reader },
    { breaker: new CircuitBreaker(clock), clock, deadlineMs: 300_000, observe: (question) => asked.push(question) },
  );
}, 300_000);

afterAll(async () => {
  await endpoint.close();
});

function rangeOf(parameters: Record<string, string>) {
  return onFullHours(resolveTimeRange(timeRangeQuerySchema.parse(parameters), { nowMs: now })).range;
}

const year = { range: "365d", tz: "Africa/Lagos" };
/** 400 days whose ends cut into months and days alike. */
const longest = { start: "2025-09-02", end: "2026-10-07", tz: "America/New_York" };
const oldItem = () => demo.items.at(-1)?.contentId ?? demo.items[0]?.contentId;

/** The rows that the questions of `ask` read, each. */
async function rowsReadBy(ask: () => Promise<unknown>): Promise<number[]> {
  asked.length = 0;
  await ask();
  return asked.map(({ rowsRead }) => rowsRead ?? Infinity);
}

test("there are ten million rows of one creator", async () => {
  const range = rangeOf({ range: "28d" });

  const response = await fetch(`${endpoint.url}/?query=SELECT count() FROM content_metrics`, {
    headers: { "X-ClickHouse-User": endpoint.username, "X-ClickHouse-Key": endpoint.password },
  });

  expect(Number(await response.text())).toBeGreaterThanOrEqual(10_000_000);
  expect((await readCreatorSeries(analytics, DEMO_CREATOR_ID, range)).length).toBe(28);
});

test.each([
  ["a year", year],
  ["the longest range", longest],
])("the creator's series, subscribers and audience of %s", async (_, parameters) => {
  const range = rangeOf(parameters);
  const days = { firstDay: "2025-09-02", endDay: "2026-10-07" };

  const rows = await rowsReadBy(async () => {
    await readCreatorSeries(analytics, DEMO_CREATOR_ID, range);
    await readSubscribers(analytics, DEMO_CREATOR_ID, range);
    await readAudience(analytics, DEMO_CREATOR_ID, days);
    await readViewersOfCells(analytics, DEMO_CREATOR_ID, days, { country: ["TZ", "RW"], device: ["other"] });
  });

  expect(rows).toHaveLength(4);
  expect(Math.min(...rows)).toBeGreaterThan(0);
  expect(rows.filter((read) => read > MOST_ROWS)).toEqual([]);
});

test.each([
  ["a year", year],
  ["the longest range", longest],
])("an item's series and its benchmark of %s", async (_, parameters) => {
  const contentId = oldItem();
  const [first, ...others] = demo.items
    .filter(({ publishedAt }) => publishedAt !== null)
    .slice(-50)
    .map((item): ItemDays => ({ contentId: item.contentId, firstDay: "2025-09-02", endDay: "2026-10-07" }));
  if (contentId === undefined || first === undefined) {
    throw new Error("the demo creator has no items");
  }

  const rows = await rowsReadBy(async () => {
    await readItemSeries(analytics, DEMO_CREATOR_ID, contentId, rangeOf(parameters));
    await hasMetrics(analytics, DEMO_CREATOR_ID, contentId);
    await readFirstDay(analytics, DEMO_CREATOR_ID);
    await readItemDays(analytics, DEMO_CREATOR_ID, [first, ...others]);
  });

  expect(rows).toHaveLength(4);
  expect(Math.min(...rows)).toBeGreaterThan(0);
  expect(rows.filter((read) => read > MOST_ROWS)).toEqual([]);
});

test.each([
  ["a year", year],
  ["the longest range", longest],
])("a ranking of all items over %s", async (_, parameters) => {
  const rows = await rowsReadBy(() =>
    readRanking(analytics, DEMO_CREATOR_ID, rangeOf(parameters), { order: "views", minimumViews: 1, limit: 10 }),
  );

  expect(Math.min(...rows)).toBeGreaterThan(0);
  expect(rows.filter((read) => read > MOST_ROWS_OF_A_RANKING)).toEqual([]);
});
