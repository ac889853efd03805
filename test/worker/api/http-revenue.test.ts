import { expect, test } from "vitest";
import { revenueAnswerSchema } from "../../../src/contract/revenue.ts";
import { asOwner, call, newCreator, problemIn } from "./http-client.ts";
import { tokenOf } from "./http-tokens.ts";

const PATH = "/api/v1/creator/revenue";

interface Entry {
  at: string;
  currency?: string;
  source?: string;
  status?: string;
  amount: number | string;
  contentId?: string;
  payoutId?: string;
}

async function book(creatorId: string, entries: Entry[]): Promise<void> {
  for (const { at, currency = "NGN", source = "ad", status = "final", amount, contentId, payoutId } of entries) {
    await asOwner(
      `INSERT INTO revenue_entries (entry_id, creator_id, content_id, source, currency, amount_minor, status, payout_id, accrued_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '2026-11-22T18:00:00Z')`,
      [crypto.randomUUID(), creatorId, contentId ?? null, source, currency, amount, status, payoutId ?? null, at],
    );
  }
}

async function payOut(creatorId: string, payoutId: string, createdAt: string, more: Record<string, unknown> = {}) {
  const row = { currency: "NGN", amount_minor: "210000000", status: "paid", method: "paystack", ...more };
  const names = Object.keys(row);
  await asOwner(
    `INSERT INTO payout_history (payout_id, creator_id, created_at, ${names.join(", ")})
     VALUES ($1, $2, $3, ${names.map((_, index) => `$${index + 4}`).join(", ")})`,
    [payoutId, creatorId, createdAt, ...Object.values(row)],
  );
}

async function revenue(token: string, query: string) {
  const response = await call(`${PATH}?${query}`, token);
  if (response.status !== 200) {
    throw new Error(`${query}: ${response.status} ${await response.text()}`);
  }
  return revenueAnswerSchema.parse(await response.json());
}

test("amounts are apart by currency, status, source and day, and the payout that paid them is named", async () => {
  const creatorId = newCreator();
  await payOut(creatorId, `${creatorId}.po`, "2026-11-05T08:00:00Z", {
    reference: "TRF_x1",
    period_start: "2026-10-01",
  });
  await book(creatorId, [
    { at: "2026-11-16T10:00:00Z", amount: 100, contentId: "cnt_1" },
    { at: "2026-11-16T11:00:00Z", amount: 50, source: "subscription", status: "estimated" },
    { at: "2026-11-17T10:00:00Z", amount: 30, status: "paid", payoutId: `${creatorId}.po`, contentId: "cnt_1" },
    { at: "2026-11-17T10:00:00Z", amount: 7, currency: "USD" },
  ]);

  const answer = await revenue(await tokenOf(creatorId), "start=2026-11-16&end=2026-11-19&tz=UTC");

  const [naira, dollars] = answer.currencies;
  expect(naira).toEqual({
    currency: "NGN",
    estimatedMinor: "50",
    finalMinor: "100",
    paidMinor: "30",
    bySource: [
      { source: "ad", estimatedMinor: "0", finalMinor: "100", paidMinor: "30" },
      { source: "subscription", estimatedMinor: "50", finalMinor: "0", paidMinor: "0" },
    ],
    series: [
      {
        start: "2026-11-16T00:00:00+00:00",
        complete: true,
        adMinor: "100",
        subscriptionMinor: "50",
        status: "estimated",
        payoutIds: [],
      },
      {
        start: "2026-11-17T00:00:00+00:00",
        complete: true,
        adMinor: "30",
        subscriptionMinor: "0",
        status: "paid",
        payoutIds: [`${creatorId}.po`],
      },
      {
        start: "2026-11-18T00:00:00+00:00",
        complete: true,
        adMinor: "0",
        subscriptionMinor: "0",
        status: null,
        payoutIds: [],
      },
    ],
    byContent: [{ contentId: "cnt_1", title: null, amountMinor: "130" }],
  });
  expect(dollars).toMatchObject({ currency: "USD", finalMinor: "7" });
  expect(answer.payouts.items).toMatchObject([
    {
      payoutId: `${creatorId}.po`,
      reference: "TRF_x1",
      periodStart: "2026-10-01",
      createdAt: "2026-11-05T08:00:00.000Z",
    },
  ]);
  expect(answer.definition).toBe("net of platform fee, before withholding tax");
  expect(answer.query).toMatchObject({
    start: "2026-11-16T00:00:00+00:00",
    end: "2026-11-19T00:00:00+00:00",
    granularity: "day",
  });
});

test("a day is a day of the zone, also when it has 23 hours", async () => {
  const creatorId = newCreator();
  // In New York 2026-03-08 lasts from 05:00 to 04:00 UTC.
  await book(creatorId, [
    { at: "2026-03-08T04:59:59.999Z", amount: 1 },
    { at: "2026-03-08T05:00:00Z", amount: 10 },
    { at: "2026-03-09T03:59:59.999999Z", amount: 100 },
    { at: "2026-03-09T04:00:00Z", amount: 1_000 },
    { at: "2026-03-10T04:00:00Z", amount: 10_000 },
  ]);

  const answer = await revenue(await tokenOf(creatorId), "start=2026-03-07&end=2026-03-10&tz=America/New_York");

  expect(answer.currencies[0]?.series.map(({ start, adMinor }) => [start, adMinor])).toEqual([
    ["2026-03-07T00:00:00-05:00", "1"],
    ["2026-03-08T00:00:00-05:00", "110"],
    ["2026-03-09T00:00:00-04:00", "1000"],
  ]);
});

test("sums beyond the integers of a double are exact", async () => {
  const creatorId = newCreator();
  await book(creatorId, [
    { at: "2026-11-16T10:00:00Z", amount: "9007199254740993" },
    { at: "2026-11-16T10:00:00Z", amount: "9007199254740993", source: "subscription" },
    { at: "2026-11-16T10:00:00Z", amount: "-1", source: "subscription" },
  ]);

  const answer = await revenue(await tokenOf(creatorId), "start=2026-11-16&end=2026-11-17");

  expect(answer.currencies[0]?.finalMinor).toBe("18014398509481985");
});

test("the zone is the sign-in's own unless the query names one", async () => {
  const token = await tokenOf(newCreator(), { zoneinfo: "Africa/Lagos" });

  expect((await revenue(token, "")).query).toMatchObject({ range: "28d", timeZone: "Africa/Lagos" });
  expect((await revenue(token, "tz=Asia/Tokyo")).query.timeZone).toBe("Asia/Tokyo");
  expect((await revenue(await tokenOf(newCreator(), { zoneinfo: "Mars/Olympus" }), "")).query.timeZone).toBe("UTC");
});

test("payouts come newest first, every one of them once", async () => {
  const creatorId = newCreator();
  for (let index = 0; index < 5; index += 1) {
    await payOut(creatorId, `${creatorId}.${index}`, `2026-11-0${1 + Math.floor(index / 2)}T00:00:00Z`);
  }
  const token = await tokenOf(creatorId);
  const walked: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const { payouts } = await revenue(token, `limit=2${cursor && `&cursor=${cursor}`}`);
    walked.push(...payouts.items.map(({ payoutId }) => payoutId.slice(-1)));
    cursor = payouts.nextCursor;
  }

  expect(walked).toEqual(["4", "3", "2", "1", "0"]);
});

test("nobody sees another creator's revenue or payouts", async () => {
  const theirs = newCreator();
  await payOut(theirs, `${theirs}.po`, "2026-11-05T08:00:00Z");
  await book(theirs, [{ at: "2026-11-16T10:00:00Z", amount: 100 }]);

  const answer = await revenue(await tokenOf(newCreator()), "start=2026-11-16&end=2026-11-17");

  expect([answer.currencies, answer.payouts.items]).toEqual([[], []]);
});

test("a bucket that the Billing Engine has not passed yet is not complete", async () => {
  const creatorId = newCreator();
  await book(creatorId, [{ at: new Date().toISOString(), amount: 1 }]);

  const answer = await revenue(await tokenOf(creatorId), "range=7d&tz=UTC");

  expect(answer.currencies[0]?.series.at(-1)).toMatchObject({ adMinor: "1", complete: false });
});

test.each([
  ["range=fortnight", "range"],
  ["start=2026-11-01", "end"],
  ["start=2026-11-02&end=2026-11-01", "end"],
  ["tz=Mars/Olympus", "tz"],
  ["granularity=minute", "granularity"],
  ["compare=previous", "compare"],
  ["format=csv", "format"],
  ["cursor=nonsense", "cursor"],
  ["currency=NGN", "currency"],
])("%s is a bad request that names %s", async (query, parameter) => {
  const response = await call(`${PATH}?${query}`, await tokenOf(newCreator()));

  expect(response.status).toBe(400);
  expect(await problemIn(response)).toMatchObject({ code: "invalid_parameter", errors: [{ parameter }] });
});
