import { describe, expect, test } from "vitest";
import { overviewAnswerSchema } from "../../../src/contract/analytics.ts";
import { creatorTotals, rankedByViews, revenueTotals, subscriberTotals } from "../../seed-totals.ts";
import { bodyOf, creatorNo, openApp, withoutPostgres } from "./analytics-client.ts";
import { SEEDED_AT } from "./seeded-at.ts";

const demo = creatorNo(1);

async function overview(query: string, variables: Record<string, string> = {}, creatorId: string = demo.creatorId) {
  const response = await openApp(variables)(`overview?${query}`, creatorId);
  if (response.status !== 200) {
    throw new Error(`${query}: ${response.status} ${await response.text()}`);
  }
  return overviewAnswerSchema.parse(await response.json());
}

/** The span that an answer says it covers. */
function spanOf({ query }: { query: { start: string; end: string } }) {
  return { startMs: Date.parse(query.start), endMs: Date.parse(query.end) };
}

const titleOf = (contentId: string) => demo.items.find((item) => item.contentId === contentId)?.title;

describe.each([
  ["a week in Lagos", "range=7d&tz=Africa/Lagos"],
  ["28 days in UTC", "range=28d"],
  ["90 days over a change of clocks", "range=90d&tz=America/New_York"],
  ["24 hours", "range=24h&tz=Africa/Lagos"],
  ["a year", "range=365d&tz=Africa/Lagos"],
  ["a month in a zone off the full hour", "range=month&tz=Asia/Kolkata"],
])("%s", (_, query) => {
  test("has the totals that the seed's inputs give, none of them zero", async () => {
    const answer = await overview(query);

    const expected = creatorTotals(demo, spanOf(answer), SEEDED_AT);
    const { views, watchTimeSeconds, likes, shares, completions } = answer.totals;
    expect({ views, watchTimeSeconds, likes, shares, completions }).toEqual(expected);
    expect(Object.values(expected).filter((count) => count === 0)).toEqual([]);
    expect(answer.totals.completionRate).toBeCloseTo(expected.completions / expected.views, 4);
    expect(answer.totals.averageWatchSeconds).toBeCloseTo(expected.watchTimeSeconds / expected.views, 1);
  });

  test("has a series that adds up to the totals, bucket by bucket", async () => {
    const answer = await overview(query);

    const starts = [...answer.series.map(({ start }) => Date.parse(start)), Date.parse(answer.query.end)];
    answer.series.forEach(({ views, complete }, index) => {
      const bucket = { startMs: starts[index] ?? 0, endMs: starts[index + 1] ?? 0 };
      const hasBegun = bucket.startMs < Date.parse("2026-11-24T20:00:00Z");
      expect(views).toBe(hasBegun ? creatorTotals(demo, bucket, SEEDED_AT).views : null);
      expect(complete).toBe(bucket.endMs <= Date.parse("2026-11-24T20:00:00Z"));
    });
  });

  test("has the subscribers that the seed's inputs give", async () => {
    const answer = await overview(query);

    const { gained, lost, count } = subscriberTotals(demo, spanOf(answer), SEEDED_AT);
    expect(answer.totals.subscribers).toEqual({ gained, lost, net: gained - lost, count });
    expect(answer.series.reduce((sum, bucket) => sum + (bucket.subscribersGained ?? 0), 0)).toBe(gained);
    expect([gained, lost, count].filter((number) => number === 0)).toEqual([]);
  });

  test("has the items with most views, by their titles", async () => {
    const answer = await overview(query);

    const expected = rankedByViews(demo, spanOf(answer), SEEDED_AT).slice(0, 10);
    expect(answer.topContent.map(({ contentId, views, title }) => [contentId, views, title])).toEqual(
      expected.map(({ contentId, views }) => [contentId, views, titleOf(contentId)]),
    );
    expect(answer.topContent).toHaveLength(10);
  });
});

test("revenue is apart by currency and status", async () => {
  const answer = await overview("range=90d&tz=Africa/Lagos");

  const expected = revenueTotals(demo, spanOf(answer), SEEDED_AT);
  expect(answer.totals.revenue).toMatchObject({
    status: "ok",
    amounts: ["NGN", "USD"].map((currency) => ({
      currency,
      estimatedMinor: String(expected[currency]?.estimated),
      finalMinor: String(expected[currency]?.final),
      paidMinor: String(expected[currency]?.paid),
    })),
  });
  expect(
    Object.values(expected)
      .flatMap((its) => Object.values(its))
      .filter((amount) => amount === 0),
  ).toEqual([]);
});

test("an answer says what it was asked and how fresh it is", async () => {
  expect(await overview("range=7d&tz=Africa/Lagos")).toMatchObject({
    query: {
      range: "7d",
      start: "2026-11-18T00:00:00+01:00",
      end: "2026-11-25T00:00:00+01:00",
      timeZone: "Africa/Lagos",
      granularity: "day",
      compare: "none",
    },
    asOf: "2026-11-24T20:30:00Z",
    completeThrough: "2026-11-24T20:00:00Z",
    warnings: [],
    comparison: null,
  });
});

test("hours that have not arrived are null and not complete, never zero", async () => {
  const { series } = await overview("range=24h");

  expect(series.at(-1)).toEqual({
    start: "2026-11-24T20:00:00+00:00",
    complete: false,
    views: null,
    watchTimeSeconds: null,
    likes: null,
    shares: null,
    completions: null,
    subscribersGained: null,
    subscribersLost: null,
  });
  expect(series.at(-2)).toMatchObject({ complete: true });
});

test("a zone off the full hour is warned about", async () => {
  expect((await overview("range=7d&tz=Asia/Kolkata")).warnings).toEqual(["zone_boundary_rounded"]);
});

test("with Postgres down the revenue is unavailable, titles are null, and the rest is there", async () => {
  const answer = await overview("range=7d", withoutPostgres);

  expect(answer.totals.revenue).toEqual({ status: "unavailable", asOf: null, amounts: null });
  expect(answer.topContent.map(({ title }) => title)).toEqual(Array.from({ length: 10 }, () => null));
  expect(answer.totals.views).toBe(creatorTotals(demo, spanOf(answer), SEEDED_AT).views);
});

test("every creator sees their own numbers only", async () => {
  const other = creatorNo(2);

  const answer = await overview("range=90d", {}, other.creatorId);

  expect(answer.totals.views).toBe(creatorTotals(other, spanOf(answer), SEEDED_AT).views);
  expect(answer.totals.views).toBeGreaterThan(0);
  const theirs = new Set<string>(other.items.map(({ contentId }) => contentId));
  expect(answer.topContent.filter(({ contentId }) => !theirs.has(contentId))).toEqual([]);
});

test("a creator whom nobody has watched has zeros, no rates and no items", async () => {
  const answer = await overview("range=7d", {}, "crt_nobody");

  expect(answer.totals).toMatchObject({
    views: 0,
    completionRate: null,
    averageWatchSeconds: null,
    subscribers: { gained: 0, lost: 0, net: 0, count: null },
    revenue: { status: "ok", amounts: [] },
  });
  expect(answer.topContent).toEqual([]);
});

test("the sign-in's own zone is the default", async () => {
  const response = await openApp()("overview", demo.creatorId, { zoneinfo: "Africa/Lagos" });

  expect(await bodyOf(response)).toMatchObject({ query: { range: "28d", timeZone: "Africa/Lagos" } });
});

test.each([
  ["range=fortnight", "range"],
  ["start=2026-11-01", "end"],
  ["tz=Lagos", "tz"],
  ["granularity=minute", "granularity"],
  ["range=90d&granularity=hour", "granularity"],
  ["compare=previous", "compare"],
  ["format=csv", "format"],
  ["creatorId=crt_0002", "creatorId"],
  ["range=7d&range=28d", "range"],
])("%s is a bad request that names %s", async (query, parameter) => {
  const response = await openApp()(`overview?${query}`);

  expect(response.status).toBe(400);
  expect(await bodyOf(response)).toMatchObject({ code: "invalid_parameter", errors: [{ parameter }] });
});
