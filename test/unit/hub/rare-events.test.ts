import * as fc from "fast-check";
import { expect, test } from "vitest";
import { rareBatchSchema, type RareBatch } from "../../../src/contract/live-rpc.ts";
import { creator, HubBench, START } from "./hub-bench.ts";

const at = (offset: number) => new Date(START + offset * 1_000).toISOString();
const subscription = (offset: number, change: "subscribed" | "unsubscribed", more: object = {}) => ({
  kind: "subscription",
  offset,
  broadcast: true,
  event: { eventId: `sub_${offset}`, creatorId: creator, change, occurredAt: at(offset), ...more },
});
const payment = (offset: number, more: object = {}) => ({
  kind: "payment",
  offset,
  broadcast: true,
  event: {
    eventId: `pay_${offset}`,
    paymentId: `p_${offset}`,
    creatorId: creator,
    kind: "ad",
    amountMinor: "120000",
    currency: "NGN",
    occurredAt: at(offset),
    ...more,
  },
});
const decision = (offset: number, more: object = {}) => ({
  kind: "moderation",
  offset,
  broadcast: true,
  event: {
    eventId: `mod_${offset}`,
    decisionId: `d_${offset}`,
    creatorId: creator,
    contentId: "cnt_7",
    decision: "restricted",
    reason: "Loud music.",
    occurredAt: at(offset),
    ...more,
  },
});
const batch = (events: object[], more: object = {}): RareBatch =>
  rareBatchSchema.parse({ v: 1, creatorId: creator, source: "rare.topic:0", epoch: 1, events, ...more });

test("the subscriber count is unknown until the owner gives it, then follows every change", () => {
  const bench = new HubBench();
  const socket = bench.connect();

  bench.hub.applyRare(batch([subscription(0, "subscribed")]));
  bench.hub.applyRare(batch([subscription(1, "subscribed", { subscriberCount: 100 })]));
  bench.hub.applyRare(
    batch([subscription(2, "unsubscribed"), subscription(3, "subscribed"), subscription(4, "subscribed")]),
  );

  expect(socket.of("subscribers").map(({ count, change, asOf }) => ({ count, change, asOf }))).toEqual([
    { count: null, change: 1, asOf: at(0) },
    { count: 100, change: 1, asOf: at(1) },
    { count: 101, change: 1, asOf: at(4) },
  ]);
  expect(bench.connect().of("snapshot")[0]?.subscribers).toEqual({ count: 101, asOf: at(4) });
});

test("a change from before the owner's last count, as of a replayed dead letter, is in that count", () => {
  const bench = new HubBench();
  bench.now = START + 10_000;
  const socket = bench.connect();
  bench.hub.applyRare(batch([subscription(0, "subscribed", { subscriberCount: 150, occurredAt: at(5) })]));

  bench.hub.applyRare(batch([subscription(1, "subscribed", { subscriberCount: 100, occurredAt: at(3) })]));
  bench.hub.applyRare(batch([subscription(2, "unsubscribed", { occurredAt: at(4) })]));
  bench.hub.applyRare(batch([subscription(3, "subscribed", { occurredAt: at(6) })]));

  expect(socket.of("subscribers").map(({ count, asOf }) => ({ count, asOf }))).toEqual([
    { count: 150, asOf: at(5) },
    { count: 150, asOf: at(5) },
    { count: 150, asOf: at(5) },
    { count: 151, asOf: at(6) },
  ]);
});

test("a count from a time to come does not outdate what happens until then", () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.hub.applyRare(batch([subscription(0, "subscribed", { subscriberCount: 150, occurredAt: at(90_000) })]));

  bench.now += 1_000;
  bench.hub.applyRare(batch([subscription(1, "subscribed", { subscriberCount: 151, occurredAt: at(1) })]));

  expect(socket.of("subscribers").at(-1)).toMatchObject({ count: 151 });
});

test("a payment raises the revenue version and is told with its money", () => {
  const bench = new HubBench();
  const socket = bench.connect();

  bench.hub.applyRare(
    batch([payment(0), payment(1, { amountMinor: "9007199254740993", currency: "USD", kind: "payout" })]),
  );

  expect(socket.of("revenue.changed")).toMatchObject([
    { version: 1, lastPaymentAt: at(0), paymentId: "p_0", kind: "ad", amountMinor: "120000", currency: "NGN" },
    { version: 2, paymentId: "p_1", kind: "payout", amountMinor: "9007199254740993", currency: "USD" },
  ]);
  expect(bench.connect().of("snapshot")[0]?.revenue).toEqual({ version: 2, lastPaymentAt: at(1) });
});

test("a decision becomes an alert with an id, in UTC, and is replayed to whoever missed it", () => {
  const bench = new HubBench();
  bench.hub.applyRare(batch([decision(0, { appealBy: "2026-12-06T01:00:00+01:00" })]));

  const socket = bench.connect();
  bench.hub.applyRare(batch([decision(1), decision(2)]));

  expect(socket.of("snapshot")[0]?.alerts).toEqual([
    {
      alertId: "a_1",
      type: "moderation.decision",
      contentId: "cnt_7",
      decision: "restricted",
      reason: "Loud music.",
      policyUrl: null,
      appealBy: "2026-12-06T00:00:00.000Z",
      decidedAt: at(0),
    },
  ]);
  expect(socket.of("moderation.decision").map(({ alert }) => alert.alertId)).toEqual(["a_2", "a_3"]);
  const alertsSince = (since: string | null) =>
    bench
      .connect({ since })
      .of("snapshot")[0]
      ?.alerts.map(({ alertId }) => alertId);
  expect(alertsSince("a_2")).toEqual(["a_3"]);
  expect(alertsSince("a_3")).toEqual([]);
  expect(alertsSince("nonsense")).toEqual(["a_1", "a_2", "a_3"]);
  expect(alertsSince(null)).toEqual(["a_1", "a_2", "a_3"]);
});

test("a snapshot has the newest 50 alerts, oldest first, and a replay the newest 200", () => {
  const bench = new HubBench();
  bench.hub.applyRare(batch(Array.from({ length: 300 }, (_, offset) => decision(offset))));

  const newest = bench
    .connect()
    .of("snapshot")[0]
    ?.alerts.map(({ alertId }) => alertId);
  const missed = bench
    .connect({ since: "a_10" })
    .of("snapshot")[0]
    ?.alerts.map(({ alertId }) => alertId);

  expect([newest?.length, newest?.[0], newest?.at(-1)]).toEqual([50, "a_251", "a_300"]);
  expect([missed?.length, missed?.[0], missed?.at(-1)]).toEqual([200, "a_101", "a_300"]);
});

test("old events are stored and counted, not announced", () => {
  const bench = new HubBench();
  const socket = bench.connect();

  bench.hub.applyRare(
    batch([
      { ...decision(0), broadcast: false },
      { ...payment(1), broadcast: false },
    ]),
  );

  expect(socket.frames.map(({ type }) => type)).toEqual(["welcome", "snapshot"]);
  expect(bench.connect().of("snapshot")[0]).toMatchObject({ revenue: { version: 1 }, alerts: [{ alertId: "a_1" }] });
});

test("a repeated batch changes nothing and answers with the same watermark", () => {
  const bench = new HubBench();
  const socket = bench.connect();
  const events = batch([payment(4), payment(9)]);

  const first = bench.hub.applyRare(events);
  bench.evict();
  const second = bench.hub.applyRare(events);

  expect(first).toEqual({ v: 1, watermark: 10, applied: 2, duplicates: 0 });
  expect(second).toEqual({ v: 1, watermark: 10, applied: 0, duplicates: 2 });
  expect(socket.of("revenue.changed")).toHaveLength(2);
});

test("an event below the watermark is a repetition even after its id has been forgotten, and lowers no watermark", () => {
  const bench = new HubBench();
  bench.hub.applyRare(batch([payment(4)]));
  bench.now += 100 * 24 * 3_600_000;
  bench.hub.applyRare(batch([payment(9)]));

  expect(bench.hub.applyRare(batch([payment(4)]))).toEqual({ v: 1, watermark: 10, applied: 0, duplicates: 1 });
});

test("a producer's repetition is known by its event id, also from a recreated topic", () => {
  const bench = new HubBench();
  bench.hub.applyRare(batch([payment(0)]));

  const again = bench.hub.applyRare(batch([payment(1, { eventId: "pay_0" }), payment(2)]));
  const recreated = bench.hub.applyRare(batch([payment(0), payment(1, { eventId: "new" })], { epoch: 2 }));
  const outdated = bench.hub.applyRare(batch([payment(70)], { epoch: 1 }));

  expect([again.applied, recreated.applied, outdated.applied]).toEqual([1, 1, 0]);
  expect(bench.storage.revenue().version).toBe(3);
});

test("a batch that fails half way leaves neither effects nor a watermark", () => {
  const bench = new HubBench();
  const good = batch([payment(0)]);
  const [event] = good.events;
  const broken = { ...good, events: [event, { ...event, offset: 1, event: null }] } as unknown as RareBatch;

  expect(() => bench.hub.applyRare(broken)).toThrow(TypeError);

  expect(bench.storage.revenue().version).toBe(0);
  expect(bench.hub.applyRare(good)).toMatchObject({ applied: 1, watermark: 1 });
});

test("batches that overlap, repeat and are cut by evictions count every event exactly once", () => {
  const changes = fc.array(fc.constantFrom("subscribed" as const, "unsubscribed" as const), {
    minLength: 1,
    maxLength: 40,
  });
  const deliveries = fc.array(
    fc.record({ back: fc.nat(6), size: fc.integer({ min: 1, max: 8 }), evict: fc.boolean() }),
  );
  fc.assert(
    fc.property(changes, deliveries, (log, plan) => {
      const bench = new HubBench();
      const events = log.map((change, offset) =>
        subscription(offset, change, offset === 0 ? { subscriberCount: 1_000 } : {}),
      );
      let next = 0;
      // A reader resumes at or before where it stood, and goes on to the end of its log.
      for (const { back, size, evict } of [...plan, { back: 3, size: log.length, evict: true }]) {
        const from = Math.max(0, next - back);
        const part = events.slice(from, from + size + back);
        if (part.length > 0) {
          next = Math.max(next, bench.hub.applyRare(batch(part)).watermark);
        }
        if (evict) {
          bench.evict();
        }
      }

      const reference = log.slice(1).reduce((count, change) => count + (change === "subscribed" ? 1 : -1), 1_000);
      expect(bench.storage.subscribers().count).toBe(reference);
    }),
  );
});
