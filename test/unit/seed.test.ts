import { describe, expect, test } from "vitest";
import { contentKinds, contentStatuses } from "../../src/contract/content.ts";
import { createCatalogue, DEMO_CREATOR_ID } from "../../src/local/seed/catalogue.ts";
import { createRevenue, payoutStatuses } from "../../src/local/seed/revenue-model.ts";
import { creatorTotals } from "../seed-totals.ts";

const now = Date.parse("2026-11-24T20:30:00Z");
const DAY_MS = 86_400_000;

describe.each(["full", "small"] as const)("the %s seed", (scale) => {
  const creators = createCatalogue(scale, now);
  const items = creators.flatMap((creator) => creator.items);
  const revenues = creators.map((creator) => createRevenue(creator, now));

  test("has items of every kind and status", () => {
    expect(new Set(items.map(({ kind }) => kind))).toEqual(new Set(contentKinds));
    expect(new Set(items.map(({ status }) => status))).toEqual(new Set(contentStatuses));
  });

  test("has revenue in naira and dollars with every status, each above zero", () => {
    const entries = revenues.flatMap((revenue) => revenue.entries);

    const seen = new Set(entries.map(({ currency, status, source }) => `${currency} ${status} ${source}`));
    expect(seen.size).toBe(2 * 3 * 2);
    expect(entries.filter(({ amount_minor }) => amount_minor <= 0)).toEqual([]);
  });

  test("has payouts in every state, and each paid entry names the payout that paid it", () => {
    const payouts = revenues.flatMap((revenue) => revenue.payouts);
    const paid = new Map(payouts.filter(({ status }) => status === "paid").map((its) => [its.payout_id, its]));
    const entries = revenues.flatMap((revenue) => revenue.entries);

    expect(new Set(payouts.map(({ status }) => status))).toEqual(new Set(payoutStatuses));
    const wrong = entries.filter(({ status, payout_id, currency, creator_id }) => {
      const payout = paid.get(payout_id ?? "");
      const isSettled = payout?.currency === currency && payout.creator_id === creator_id;
      return status === "paid" ? !isSettled : payout_id !== null;
    });
    expect(wrong).toEqual([]);
  });

  test("a payout is the sum of the entries that it paid", () => {
    const { entries, payouts } = createRevenue(creators[0] ?? fail(), now);
    const settled = payouts.filter(({ status }) => status === "paid");

    expect(settled.length).toBeGreaterThan(20);
    for (const payout of settled) {
      const its = entries.filter(({ payout_id }) => payout_id === payout.payout_id);
      expect(its.reduce((sum, { amount_minor }) => sum + amount_minor, 0)).toBe(payout.amount_minor);
    }
  });

  test("has unique ids, and no instant of what has happened lies ahead", () => {
    expect(new Set(items.map(({ contentId }) => contentId)).size).toBe(items.length);
    expect(new Set(creators.map(({ creatorId }) => creatorId)).size).toBe(creators.length);
    const published = items.filter(({ status }) => status !== "scheduled").map(({ publishedAt }) => publishedAt ?? 0);
    expect(Math.max(...published, ...items.map(({ createdAt }) => createdAt))).toBeLessThan(now);
    const booked = revenues.flatMap(({ entries, payouts }) => [
      ...entries.flatMap(({ accrued_at, updated_at }) => [accrued_at, updated_at]),
      ...payouts.map(({ created_at }) => created_at),
    ]);
    expect(booked.filter((instant) => Date.parse(instant) > now)).toEqual([]);
  });

  test("knows the same items on another day", () => {
    const later = createCatalogue(scale, now + 3 * DAY_MS).flatMap((creator) => creator.items);

    expect(later.map(({ contentId, title, kind }) => [contentId, title, kind])).toEqual(
      items.map(({ contentId, title, kind }) => [contentId, title, kind]),
    );
  });
});

test("the full seed has at least 200 creators and 5,000 items, and the demo creator leads", () => {
  const creators = createCatalogue("full", now);

  expect(creators.length).toBeGreaterThanOrEqual(200);
  expect(creators.flatMap(({ items }) => items).length).toBeGreaterThanOrEqual(5_000);
  expect(creators[0]?.creatorId).toBe(DEMO_CREATOR_ID);
});

test("views grow over two years, rest at night and rise at the weekend", () => {
  const [demo] = createCatalogue("small", now);
  const day = (date: string, hours = [0, 24]) => {
    const midnight = Date.parse(`${date}T00:00:00+01:00`);
    const [from = 0, until = 24] = hours;
    const span = { startMs: midnight + from * 3_600_000, endMs: midnight + until * 3_600_000 };
    return creatorTotals(demo ?? fail(), span, now).views;
  };

  expect(day("2026-11-21", [19, 22])).toBeGreaterThan(3 * day("2026-11-21", [2, 5]));
  expect(day("2026-11-21")).toBeGreaterThan(1.2 * day("2026-11-18"));
  expect(day("2026-11-21")).toBeGreaterThan(1.2 * day("2024-11-30"));
});

function fail(): never {
  throw new Error("the seed has no creators");
}
