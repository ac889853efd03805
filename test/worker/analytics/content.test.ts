import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { contentAnalyticsAnswerSchema } from "../../../src/contract/analytics.ts";
import { sourceOf } from "../../../src/contract/ids.ts";
import { creatorHub } from "../../../src/creator-hub/stubs.ts";
import { itemTotals } from "../../seed-totals.ts";
import { bodyOf, creatorNo, openApp, withoutClickHouse, withoutPostgres } from "./analytics-client.ts";
import { SEEDED_AT } from "./seeded-at.ts";

const demo = creatorNo(1);
const DAY_MS = 86_400_000;
const dayOf = (instantMs: number) => Math.floor(instantMs / DAY_MS);

/** An item of the demo creator that was published so many days ago or earlier. */
function itemOfAge(days: number) {
  const item = demo.items.find(
    ({ publishedAt, status }) =>
      status === "published" && publishedAt !== null && publishedAt < SEEDED_AT - days * DAY_MS,
  );
  if (item === undefined) {
    throw new Error(`the demo creator has no item of ${days} days`);
  }
  return item;
}

async function analyticsOf(contentId: string, query: string, variables: Record<string, string> = {}) {
  const response = await openApp(variables)(`content/${contentId}?${query}`);
  if (response.status !== 200) {
    throw new Error(`${contentId}?${query}: ${response.status} ${await response.text()}`);
  }
  return contentAnalyticsAnswerSchema.parse(await response.json());
}

const spanOf = ({ query }: { query: { start: string; end: string } }) => ({
  startMs: Date.parse(query.start),
  endMs: Date.parse(query.end),
});

test.each(["range=7d&tz=Africa/Lagos", "range=28d", "range=365d&tz=America/New_York", "range=24h"])(
  "an item's totals and series over %s are what the seed's inputs give",
  async (query) => {
    const item = itemOfAge(100);

    const answer = await analyticsOf(item.contentId, query);

    const expected = itemTotals(item, spanOf(answer), SEEDED_AT);
    const { views, watchTimeSeconds, likes, shares, completions } = answer.totals;
    expect({ views, watchTimeSeconds, likes, shares, completions }).toEqual(expected);
    expect(expected.views).toBeGreaterThan(0);
    expect(answer.series.reduce((sum, bucket) => sum + (bucket.views ?? 0), 0)).toBe(expected.views);
  },
);

test("the item is described as the catalogue does", async () => {
  const item = itemOfAge(100);

  const { content } = await analyticsOf(item.contentId, "range=7d");

  expect(content).toEqual({
    contentId: item.contentId,
    title: item.title,
    kind: item.kind,
    status: "published",
    publishedAt: new Date(item.publishedAt ?? 0).toISOString(),
    durationSeconds: item.durationSeconds,
  });
});

test("the benchmark is the median of the creator's other items in the same days of their lives", async () => {
  const item = itemOfAge(10);
  const born = dayOf(item.publishedAt ?? 0);

  const { benchmark, query } = await analyticsOf(item.contentId, "range=7d");

  const firstAge = Math.max(0, dayOf(Date.parse(query.start)) - born);
  const endAge = dayOf(SEEDED_AT) - born;
  const others = demo.items
    .filter(({ status, contentId, publishedAt }) => {
      return (
        status === "published" &&
        contentId !== item.contentId &&
        publishedAt !== null &&
        dayOf(publishedAt) + endAge <= dayOf(SEEDED_AT)
      );
    })
    .toSorted((one, other) => (other.publishedAt ?? 0) - (one.publishedAt ?? 0))
    .slice(0, 50)
    // What was watched before the history begins is not known.
    .filter(({ publishedAt }) => dayOf(publishedAt ?? 0) + firstAge >= dayOf(SEEDED_AT) - 730)
    .map((other) => {
      const birth = dayOf(other.publishedAt ?? 0);
      return itemTotals(other, { startMs: (birth + firstAge) * DAY_MS, endMs: (birth + endAge) * DAY_MS }, SEEDED_AT);
    });
  expect(others.length).toBeGreaterThan(5);
  expect(benchmark).toMatchObject({
    basis: "median of your 50 most recent items in the same days since publication",
    items: others.length,
    views: medianOf(others.map(({ views }) => views)),
  });
  expect(benchmark?.views).toBeGreaterThan(0);
  expect(benchmark?.completionRate).toBeGreaterThan(0);
});

function medianOf(values: number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? 0)) / 2;
}

test("another creator's item is not found, and neither is none", async () => {
  const theirs = creatorNo(2).items.find(({ status }) => status === "published")?.contentId;

  const [others, none] = await Promise.all([openApp()(`content/${theirs}`), openApp()("content/cnt_none")]);

  expect([others.status, none.status]).toEqual([404, 404]);
  const { requestId: _one, ...othersBody } = await bodyOf(others);
  const { requestId: _other, ...noneBody } = await bodyOf(none);
  expect(othersBody).toEqual(noneBody);
  expect(othersBody).toMatchObject({ code: "not_found" });
});

test("with Postgres down an item is the creator's when they have metrics of it", async () => {
  const item = itemOfAge(100);
  const theirs = creatorNo(2).items.find(({ status }) => status === "published")?.contentId;

  const answer = await analyticsOf(item.contentId, "range=7d", withoutPostgres);
  const others = await openApp(withoutPostgres)(`content/${theirs}`);

  expect(answer.content).toEqual({
    contentId: item.contentId,
    title: null,
    kind: null,
    status: null,
    publishedAt: null,
    durationSeconds: null,
  });
  expect(answer.totals.views).toBe(itemTotals(item, spanOf(answer), SEEDED_AT).views);
  expect(answer.benchmark).toBeNull();
  expect(others.status).toBe(404);
});

test("an item's last stream is the hub's, and is there while analytics are down", async () => {
  const item = itemOfAge(100);
  const startedAt = SEEDED_AT - 4 * 3_600_000;
  await creatorHub(env, demo.creatorId).recordStreamShare({
    v: 1,
    creatorId: demo.creatorId,
    source: sourceOf("user.engagement.events", 0),
    epoch: 1,
    contentId: item.contentId,
    startedAt,
    endedAt: startedAt + 3_600_000,
    peakViewers: 4_211,
    peakAt: startedAt + 1_800_000,
    viewersPerMinute: { firstMinute: Math.floor(startedAt / 60_000), counts: Array.from({ length: 60 }, () => 2_980) },
    uniqueSessions: 15_210,
    watchSeconds: 16_322_110,
    likes: 1_200,
    shares: 88,
    approximate: false,
  });

  const answer = await analyticsOf(item.contentId, "range=7d");
  const outage = await openApp(withoutClickHouse)(`content/${item.contentId}?range=7d`);

  expect(answer.lastStream).toMatchObject({ peakViewers: 4_211, uniqueSessions: 15_210, shares: 88 });
  expect(outage.status).toBe(503);
  expect(await bodyOf(outage)).toMatchObject({ code: "analytics_unavailable", lastStream: answer.lastStream });
});

test("what is not the creator's is not found while analytics are down, either", async () => {
  const response = await openApp(withoutClickHouse)("content/cnt_none");

  expect(response.status).toBe(404);
});

test("an id that cannot be one is a bad request that names it", async () => {
  const response = await openApp()("content/a%20b");

  expect(response.status).toBe(400);
  expect(await bodyOf(response)).toMatchObject({ errors: [{ parameter: "contentId" }] });
});
