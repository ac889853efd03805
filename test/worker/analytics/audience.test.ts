import { describe, expect, test } from "vitest";
import { audienceAnswerSchema } from "../../../src/contract/analytics.ts";
import { audienceTotals, rankedByViews, subscriberTotals, type Cell } from "../../seed-totals.ts";
import { bodyOf, creatorNo, openApp, withoutPostgres } from "./analytics-client.ts";
import { SEEDED_AT } from "./seeded-at.ts";

const demo = creatorNo(1);
/** A week of whole UTC days. */
const QUERY = "start=2026-11-08&end=2026-11-15&tz=UTC";
const span = { startMs: Date.parse("2026-11-08T00:00:00Z"), endMs: Date.parse("2026-11-15T00:00:00Z") };

async function audience(query: string, creatorId: string = demo.creatorId, variables: Record<string, string> = {}) {
  const response = await openApp(variables)(`audience?${query}`, creatorId);
  if (response.status !== 200) {
    throw new Error(`${query}: ${response.status} ${await response.text()}`);
  }
  return audienceAnswerSchema.parse(await response.json());
}

/** Cells as they must be shown: small ones together, in no order. */
function shown(cells: Map<string, Cell>, threshold: number): Map<string, { viewers: number; views: number }> {
  const all = [...cells];
  const small = all.filter(([, { viewers }]) => viewers.size < threshold);
  const others = new Set(small.flatMap(([, { viewers }]) => [...viewers]));
  const rows = all
    .filter(([, { viewers }]) => viewers.size >= threshold)
    .map(([name, { viewers, views }]) => [name, { viewers: viewers.size, views }] as const);
  return new Map(
    others.size >= threshold
      ? [...rows, ["other", { viewers: others.size, views: small.reduce((sum, [, { views }]) => sum + views, 0) }]]
      : rows,
  );
}

describe("a creator with a middling audience", () => {
  const creator = creatorNo(2);
  const QUARTER = "start=2026-08-01&end=2026-11-01";
  const quarter = { startMs: Date.parse("2026-08-01T00:00:00Z"), endMs: Date.parse("2026-11-01T00:00:00Z") };
  const expected = audienceTotals(creator, quarter, SEEDED_AT);

  test("sees each country with at least 50 viewers, and the smaller ones together", async () => {
    const answer = await audience(QUARTER, creator.creatorId);

    const countries = shown(expected.countries, 50);
    expect(new Map(answer.countries.map(({ country, viewers, views }) => [country, { viewers, views }]))).toEqual(
      countries,
    );
    expect([...countries.keys()]).toEqual(expect.arrayContaining(["NG", "other"]));
    expect(countries.size).toBeLessThan(expected.countries.size);
    expect(answer.privacy).toEqual({ threshold: 50, withheld: true });
  });

  test("sees devices the same way", async () => {
    const answer = await audience(QUARTER, creator.creatorId);

    expect(new Map(answer.devices.map(({ device, viewers, views }) => [device, { viewers, views }]))).toEqual(
      shown(expected.devices, 50),
    );
  });

  test("sees how many viewers there were, each counted once, and shares of them", async () => {
    const answer = await audience(QUARTER, creator.creatorId);

    expect(answer.viewers).toEqual({ count: expected.viewers, relativeError: 0.01 });
    const nigeria = answer.countries.find(({ country }) => country === "NG");
    expect(nigeria?.share).toBe(Math.round(((nigeria?.viewers ?? 0) / expected.viewers) * 100) / 100);
  });
});

test("no cell below the threshold is ever shown", async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => audience("range=28d&tz=UTC", creatorNo(index + 1).creatorId)),
  );

  const cells = answers.flatMap(({ countries, devices }) => [...countries, ...devices]);
  expect(cells.length).toBeGreaterThan(50);
  expect(cells.filter(({ viewers }) => viewers < 50)).toEqual([]);
});

test("a higher threshold folds more", async () => {
  const { devices, privacy } = await audience(QUERY, demo.creatorId, { PRIVACY_THRESHOLD: "100000" });

  expect(devices).toEqual([]);
  expect(privacy).toEqual({ threshold: 100_000, withheld: true });
});

test("items come by completion rate, with at least 100 views", async () => {
  const { topByCompletion } = await audience(QUERY);

  const expected = rankedByViews(demo, span, SEEDED_AT)
    .filter(({ views }) => views >= 100)
    .toSorted((one, other) => other.completions / other.views - one.completions / one.views)
    .slice(0, 10);
  expect(topByCompletion.minimumViews).toBe(100);
  expect(topByCompletion.items.map(({ contentId, views }) => [contentId, views])).toEqual(
    expected.map(({ contentId, views }) => [contentId, views]),
  );
  expect(topByCompletion.items.every(({ title }) => title !== null)).toBe(true);
  expect(topByCompletion.items).toHaveLength(10);
});

test("the following grows day by day", async () => {
  const { subscribers } = await audience(QUERY);

  expect(subscribers).toHaveLength(7);
  expect(subscribers[0]?.start).toBe("2026-11-08");
  for (const { start, gained, lost, count, complete } of subscribers) {
    const startMs = Date.parse(`${start}T00:00:00Z`);
    const expected = subscriberTotals(demo, { startMs, endMs: startMs + 86_400_000 }, SEEDED_AT);
    expect({ gained, lost, count, complete }).toEqual({ ...expected, complete: true });
  }
});

test("days are UTC's whatever the zone, and the answer says so", async () => {
  const inLagos = await audience("range=7d&tz=Africa/Lagos");
  const inUtc = await audience("range=7d&tz=UTC");

  expect(inLagos.query).toMatchObject({
    range: "7d",
    start: "2026-11-18T00:00:00+00:00",
    end: "2026-11-25T00:00:00+00:00",
    timeZone: "UTC",
  });
  expect(inLagos.warnings).toEqual(["whole_utc_days"]);
  expect(inUtc.warnings).toEqual([]);
  expect(inLagos.countries).toEqual(inUtc.countries);
});

test("24 hours become the days that they touch", async () => {
  const { query, subscribers } = await audience("range=24h");

  expect(query).toMatchObject({
    range: "24h",
    start: "2026-11-23T00:00:00+00:00",
    end: "2026-11-25T00:00:00+00:00",
    granularity: "day",
  });
  expect(subscribers.map(({ complete }) => complete)).toEqual([true, false]);
});

test("hours are a bad request that names the granularity", async () => {
  const response = await openApp()("audience?range=7d&granularity=hour");

  expect(response.status).toBe(400);
  expect(await bodyOf(response)).toMatchObject({ errors: [{ parameter: "granularity" }] });
});

test("with Postgres down titles are null and the rest is there", async () => {
  const { topByCompletion, countries } = await audience(QUERY, demo.creatorId, withoutPostgres);

  expect(topByCompletion.items.map(({ title }) => title)).toEqual(Array.from({ length: 10 }, () => null));
  expect(countries.length).toBeGreaterThan(5);
});

test("no viewer can be found in an answer", async () => {
  const [viewer = ""] = audienceTotals(demo, span, SEEDED_AT).countries.get("NG")?.viewers ?? [];

  const text = JSON.stringify(await audience(QUERY));

  expect(viewer).not.toBe("");
  expect(text).not.toContain(viewer);
});
