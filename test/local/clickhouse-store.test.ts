// Every question of the ClickHouse store against the real engine over HTTP, as the user who can only read. What comes out
// is compared with what the seed's inputs say must.
import { createClient } from "@clickhouse/client-web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contentIdSchema, creatorIdSchema } from "../../src/contract/ids.ts";
import { onFullHours, resolveTimeRange, timeRangeQuerySchema } from "../../src/contract/time-range.ts";
import { formatDay, parseDay } from "../../src/contract/time-zone.ts";
import { startClickHouseEndpoint, type ClickHouseEndpoint } from "../../src/local/clickhouse/endpoint.ts";
import { createCatalogue, DEMO_CREATOR_ID, type SeedCreator } from "../../src/local/seed/catalogue.ts";
import { loadClickHouse } from "../../src/local/seed/load-clickhouse.ts";
import { createAnalytics, type Analytics, type AskedQuestion } from "../../src/store/clickhouse/analytics.ts";
import { readAudience, readViewersOfCells } from "../../src/store/clickhouse/audience.ts";
import { CircuitBreaker } from "../../src/store/clickhouse/circuit-breaker.ts";
import { readCreatorSeries, readItemSeries } from "../../src/store/clickhouse/engagement-series.ts";
import { readProgress } from "../../src/store/clickhouse/ingest-progress.ts";
import { hasMetrics, readFirstDay, readItemDays } from "../../src/store/clickhouse/item-benchmark.ts";
import { readRanking } from "../../src/store/clickhouse/item-ranking.ts";
import { migrateClickHouse } from "../../src/store/clickhouse/migrate.ts";
import { readSubscribers } from "../../src/store/clickhouse/subscriber-series.ts";
import { audienceTotals, creatorTotals, itemTotals, rankedByViews, subscriberTotals } from "../seed-totals.ts";

const now = Date.parse("2026-11-24T20:30:00Z");
const nothing = { views: 0, watchTimeSeconds: 0, likes: 0, shares: 0, completions: 0 };
const stranger = creatorIdSchema.parse("crt_nobody");

let endpoint: ClickHouseEndpoint;
let analytics: Analytics;
let asked: AskedQuestion[];
let demo: SeedCreator;
let views: Map<string, number>;

beforeAll(async () => {
  endpoint = await startClickHouseEndpoint();
  await migrateClickHouse(endpoint);
  const creators = createCatalogue("small", now);
  views = await loadClickHouse(endpoint, creators, now);
  const found = creators.find(({ creatorId }) => creatorId === DEMO_CREATOR_ID);
  if (found === undefined) {
    throw new Error("the catalogue has no demo creator");
  }
  demo = found;
  asked = [];
  const { url, database, reader } = endpoint;
  const clock = { now: () => Date.now() };
  analytics = createAnalytics(
    { url, database, ...reader },
    { breaker: new CircuitBreaker(clock), clock, deadlineMs: 60_000, observe: (question) => asked.push(question) },
  );
});

afterAll(async () => {
  await endpoint.close();
});

function rangeOf(parameters: Record<string, string>) {
  return onFullHours(resolveTimeRange(timeRangeQuerySchema.parse(parameters), { nowMs: now })).range;
}

/** Inserts rows one by one, each a part of its own for good. */
async function write(table: string, values: Record<string, unknown>[]): Promise<void> {
  const client = createClient(endpoint);
  await client.command({ query: `SYSTEM STOP MERGES ${table}` });
  for (const value of values) {
    await client.insert({ table, values: [value], format: "JSONEachRow" });
  }
  await client.close();
}

const byStart = (one: { startMs: number }, other: { startMs: number }) => one.startMs - other.startMs;

/** An item with views in the last month: old enough to have been watched for long. */
function anyItem() {
  const item = demo.items.find(({ publishedAt }) => publishedAt !== null && publishedAt < now - 200 * 86_400_000);
  if (item === undefined) {
    throw new Error("the demo creator has no old item");
  }
  return item;
}

describe("series", () => {
  test.each([
    ["a week in Lagos by day", { range: "7d", tz: "Africa/Lagos" }],
    ["the hours of a day", { range: "24h" }],
    ["both changes of a summer in New York", { start: "2026-03-01", end: "2026-11-10", tz: "America/New_York" }],
    ["a zone off the full hour", { range: "7d", tz: "Asia/Kolkata" }],
    ["a year by month", { range: "365d", granularity: "month" }],
  ])("a creator's buckets hold what happened in them: %s", async (_, parameters) => {
    const range = rangeOf(parameters);

    const rows = await readCreatorSeries(analytics, DEMO_CREATOR_ID, range);

    const expected = range.buckets
      .map((bucket) => ({ startMs: bucket.startMs, ...creatorTotals(demo, bucket, now) }))
      .filter((bucket) => bucket.views > 0);
    expect(expected.length).toBeGreaterThan(0);
    expect(rows.toSorted(byStart)).toEqual(expected);
  });

  test("an item's buckets hold what happened to it alone", async () => {
    const item = anyItem();
    const range = rangeOf({ range: "28d", tz: "Africa/Lagos" });

    const rows = await readItemSeries(analytics, DEMO_CREATOR_ID, item.contentId, range);

    const expected = range.buckets
      .map((bucket) => ({ startMs: bucket.startMs, ...itemTotals(item, bucket, now) }))
      .filter((bucket) => bucket.views > 0);
    expect(expected.length).toBeGreaterThan(20);
    expect(rows.toSorted(byStart)).toEqual(expected);
  });

  test("another creator's item has none", async () => {
    const rows = await readItemSeries(analytics, stranger, anyItem().contentId, rangeOf({ range: "28d" }));

    expect(rows).toEqual([]);
  });

  test("744 hours fit into one question", async () => {
    const range = rangeOf({ start: "2026-10-01", end: "2026-11-01", granularity: "hour" });

    const rows = await readCreatorSeries(analytics, DEMO_CREATOR_ID, range);

    expect(rows).toHaveLength(744);
  });

  test("likes below zero stay below zero", async () => {
    const range = rangeOf({ start: "2026-10-01", end: "2026-11-01", granularity: "hour" });
    const item = anyItem();

    const rows = await readItemSeries(analytics, DEMO_CREATOR_ID, item.contentId, range);

    expect(Math.min(...rows.map(({ likes }) => likes))).toBe(-1);
  });
});

describe("subscribers", () => {
  test("gained, lost and the count at the end are the owner's", async () => {
    const range = rangeOf({ range: "28d", tz: "Africa/Lagos" });

    const { buckets, countBefore } = await readSubscribers(analytics, DEMO_CREATOR_ID, range);

    const expected = subscriberTotals(demo, range, now);
    const before = subscriberTotals(demo, { startMs: 0, endMs: range.startMs }, now);
    expect(buckets.reduce((sum, { gained }) => sum + gained, 0)).toBe(expected.gained);
    expect(buckets.reduce((sum, { lost }) => sum + lost, 0)).toBe(expected.lost);
    expect(buckets.toSorted(byStart).at(-1)?.count).toBe(expected.count);
    expect(countBefore).toBe(before.count);
    expect([expected.gained, expected.lost].every((count) => count > 0)).toBe(true);
  });

  test("nobody's count is not known", async () => {
    const series = await readSubscribers(analytics, stranger, rangeOf({ range: "28d" }));

    expect(series).toEqual({ buckets: [], countBefore: null });
  });
});

describe("rankings", () => {
  test.each([
    ["a year in Lagos", { range: "365d", tz: "Africa/Lagos" }],
    ["a year in UTC", { range: "365d" }],
    ["a week", { range: "7d", tz: "America/New_York" }],
    ["a day", { range: "24h" }],
    ["a day in Lagos, which lies in two of UTC", { start: "2026-11-20", end: "2026-11-21", tz: "Africa/Lagos" }],
    ["a calendar month", { start: "2026-09-01", end: "2026-10-01" }],
  ])("items by views, summed over months, days and hours: %s", async (_, parameters) => {
    const range = rangeOf(parameters);

    const ranked = await readRanking(analytics, DEMO_CREATOR_ID, range, { order: "views", minimumViews: 1, limit: 10 });

    const expected = rankedByViews(demo, range, now)
      .slice(0, 10)
      .map(({ contentId, views: count, watchTimeSeconds, completions }) => ({
        contentId,
        views: count,
        watchTimeSeconds,
        completions,
      }));
    expect(expected).toHaveLength(10);
    expect(ranked).toEqual(expected);
  });

  test("items by completion rate leave out those with few views", async () => {
    const range = rangeOf({ range: "28d" });

    const ranked = await readRanking(analytics, DEMO_CREATOR_ID, range, {
      order: "completion rate",
      minimumViews: 2_000,
      limit: 5,
    });

    const expected = rankedByViews(demo, range, now)
      .filter((item) => item.views >= 2_000)
      .toSorted((one, other) => other.completions / other.views - one.completions / one.views)
      .slice(0, 5);
    expect(expected).toHaveLength(5);
    expect(ranked.map(({ contentId }) => contentId)).toEqual(expected.map(({ contentId }) => contentId));
  });
});

describe("the audience", () => {
  const span = { startMs: parseDay("2026-11-18") * 86_400_000, endMs: parseDay("2026-11-21") * 86_400_000 };
  const days = { firstDay: "2026-11-18", endDay: "2026-11-21" };

  test("cells and the whole count every viewer once, however many days they came", async () => {
    const audience = await readAudience(analytics, DEMO_CREATOR_ID, days);

    const expected = audienceTotals(demo, span, now);
    expect(expected.viewers).toBeGreaterThan(1_000);
    expect(Math.abs(audience.viewers / expected.viewers - 1)).toBeLessThan(0.01);
    for (const [dimension, cells] of [
      ["country", expected.countries],
      ["device", expected.devices],
    ] as const) {
      const read = audience.cells.filter((cell) => cell.dimension === dimension);
      expect(read.map(({ name }) => name).toSorted()).toEqual([...cells.keys()].toSorted());
      for (const { name, viewers, views: theirs } of read) {
        expect(theirs).toBe(cells.get(name)?.views);
        expect(Math.abs(viewers / (cells.get(name)?.viewers.size ?? 0) - 1)).toBeLessThan(0.01);
      }
    }
  });

  test("several cells together count a viewer once", async () => {
    const viewers = await readViewersOfCells(analytics, DEMO_CREATOR_ID, days, {
      country: ["RW", "TZ", "UG"],
      device: [],
    });

    const { countries } = audienceTotals(demo, span, now);
    const union = new Set(["RW", "TZ", "UG"].flatMap((name) => [...(countries.get(name)?.viewers ?? [])]));
    expect(union.size).toBeGreaterThan(0);
    expect(viewers).toEqual({ country: union.size, device: 0 });
  });

  test("nobody's audience is empty", async () => {
    expect(await readAudience(analytics, stranger, days)).toEqual({ viewers: 0, cells: [] });
  });
});

describe("benchmarks", () => {
  test("each item is summed over its own days", async () => {
    const others = demo.items
      .filter(({ publishedAt }) => publishedAt !== null && publishedAt < now - 60 * 86_400_000)
      .slice(0, 20)
      .map(({ contentId }, index) => ({
        contentId,
        firstDay: formatDay(parseDay("2026-09-01") + index),
        endDay: formatDay(parseDay("2026-09-08") + index),
      }));
    const [first, ...rest] = others;
    if (first === undefined) {
      throw new Error("the demo creator has no old items");
    }

    const totals = await readItemDays(analytics, DEMO_CREATOR_ID, [first, ...rest]);

    const expected = others.flatMap(({ contentId, firstDay, endDay }) => {
      const item = demo.items.find((its) => its.contentId === contentId);
      const span = { startMs: parseDay(firstDay) * 86_400_000, endMs: parseDay(endDay) * 86_400_000 };
      const { views: count, completions } = item ? itemTotals(item, span, now) : nothing;
      return count > 0 ? [{ contentId, views: count, completions }] : [];
    });
    expect(expected.length).toBeGreaterThan(10);
    expect(totals.toSorted((one, other) => (one.contentId < other.contentId ? -1 : 1))).toEqual(
      expected.toSorted((one, other) => (one.contentId < other.contentId ? -1 : 1)),
    );
  });

  test("the day on which a creator's metrics begin is known", async () => {
    expect(await readFirstDay(analytics, DEMO_CREATOR_ID)).toBe("2024-11-24");
    expect(await readFirstDay(analytics, stranger)).toBeNull();
  });

  test("who has metrics of an item is told from who has not", async () => {
    const { contentId } = anyItem();

    expect(await hasMetrics(analytics, DEMO_CREATOR_ID, contentId)).toBe(true);
    expect(await hasMetrics(analytics, stranger, contentId)).toBe(false);
    expect(await hasMetrics(analytics, DEMO_CREATOR_ID, contentIdSchema.parse("cnt_none"))).toBe(false);
  });
});

describe("increments that the pipeline adds later", () => {
  const creatorId = creatorIdSchema.parse("crt_increments");
  const contentId = contentIdSchema.parse("cnt_increments");
  const hour = "2026-11-20 10:00:00";
  const range = rangeOf({ start: "2026-11-20", end: "2026-11-21", granularity: "day" });

  test("are summed everywhere", async () => {
    const row = { creator_id: creatorId, content_id: contentId, period: hour, watch_time_s: 30, shares: 0 };
    await write("content_metrics", [
      { ...row, views: 2, likes: 1, completions: 1 },
      { ...row, views: 3, likes: -2, completions: 0 },
    ]);

    const expected = { views: 5, watchTimeSeconds: 60, likes: -1, shares: 0, completions: 1 };
    const startMs = Date.parse("2026-11-20T00:00:00Z");
    expect(await readCreatorSeries(analytics, creatorId, range)).toEqual([{ startMs, ...expected }]);
    expect(await readItemSeries(analytics, creatorId, contentId, range)).toEqual([{ startMs, ...expected }]);
    const ranking = { order: "views", minimumViews: 1, limit: 10 } as const;
    for (const parameters of [{ range: "365d" }, { range: "28d" }, { range: "7d", tz: "Pacific/Auckland" }]) {
      expect(await readRanking(analytics, creatorId, rangeOf(parameters), ranking)).toEqual([
        { contentId, views: 5, watchTimeSeconds: 60, completions: 1 },
      ]);
    }
    const days = { contentId, firstDay: "2026-11-20", endDay: "2026-11-21" };
    expect(await readItemDays(analytics, creatorId, [days])).toEqual([{ contentId, views: 5, completions: 1 }]);
  });

  test("of subscribers end with the last count that the owner said", async () => {
    const row = { creator_id: creatorId, period: hour, gained: 1, lost: 0 };
    const nextDay = { ...row, period: "2026-11-21 10:00:00" };
    await write("subscriber_metrics", [{ ...row, count: 12 }, { ...row, count: 7 }, row]);
    await write("subscriber_metrics", [{ ...nextDay, count: 7 }, { ...nextDay, count: 12 }, nextDay]);

    const { buckets } = await readSubscribers(
      analytics,
      creatorId,
      rangeOf({ start: "2026-11-20", end: "2026-11-22", granularity: "day" }),
    );

    expect(buckets.toSorted(byStart)).toMatchObject([
      { gained: 3, lost: 0, count: 7 },
      { gained: 3, lost: 0, count: 12 },
    ]);
  });
});

describe("the pipeline's progress", () => {
  test("each source says how far it is", async () => {
    const progress = await readProgress(analytics);

    const said = { completeThroughMs: Date.parse("2026-11-24T20:00:00Z"), asOfMs: now };
    expect(progress).toEqual(
      new Map(["audience", "content_metrics", "subscriber_metrics"].map((name) => [name, said])),
    );
  });
});

describe("the seed", () => {
  test("what it says of each item's views is what the tables hold", () => {
    const item = anyItem();

    expect(views.get(item.contentId)).toBe(
      itemTotals(item, { startMs: item.firstHour * 3_600_000, endMs: now }, now).views,
    );
  });

  test("a second one is refused", async () => {
    await expect(loadClickHouse(endpoint, [demo], now)).rejects.toThrow("holds metrics already");
  });

  test("migrations that were applied are not applied again", async () => {
    expect(await migrateClickHouse(endpoint)).toEqual([]);
  });
});

test("each question says how many rows it read", () => {
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.filter(({ rowsRead }) => rowsRead === null)).toEqual([]);
});
