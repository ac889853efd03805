// Frames, whatever their order and repetition, add up to what the service holds.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  serverFrameSchema,
  type LiveContent,
  type LiveTotals,
  type ServerFrame,
} from "../../src/contract/live-frames.ts";
import { applyFrame, MAX_KEPT, nothingKnown, type LiveNumbers } from "../../src/dashboard/live-client/live-numbers.ts";
import { content, totals } from "./live-client-arbitraries.ts";

const at = "2026-11-22T20:05:11.120Z";

/** A service reduced to what the rule is about: it holds totals and items, and tells what changed. */
class Service {
  epoch = 0;
  seq = 0;
  asOf = at;
  totals: LiveTotals = { ...nothingKnown.totals };
  items = new Map<string, LiveContent>();

  snapshot(): ServerFrame {
    return this.#frame({
      type: "snapshot",
      state: "live",
      reason: null,
      asOf: this.asOf,
      totals: this.totals,
      content: [...this.items.values()],
      subscribers: { count: 1, asOf: at },
      revenue: { version: 1, lastPaymentAt: null },
      alerts: [],
    });
  }

  /** Items lose their minutes in the frame, as the service leaves them out when only counts changed. */
  change(newTotals: LiveTotals, changed: LiveContent[], removed: string[]): ServerFrame {
    this.totals = newTotals;
    this.asOf = new Date(Date.parse(this.asOf) + 250).toISOString();
    for (const item of changed) {
      const minutes = item.viewsPerMinute ?? this.items.get(item.contentId)?.viewsPerMinute;
      this.items.set(item.contentId, minutes ? { ...item, viewsPerMinute: minutes } : item);
    }
    for (const contentId of removed) {
      this.items.delete(contentId);
    }
    return this.#frame({ type: "metrics", asOf: this.asOf, totals: newTotals, content: changed, removed });
  }

  restart(): ServerFrame {
    this.epoch += 1;
    this.seq = 0;
    return this.snapshot();
  }

  #frame(body: Record<string, unknown>): ServerFrame {
    this.seq += 1;
    return serverFrameSchema.parse({ ...body, epoch: `h_${this.epoch}`, seq: this.seq, at });
  }
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("change" as const), totals, content: fc.array(content) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("remove" as const), totals }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat" as const), back: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: "snapshot" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "restart" as const }) },
);

function framesOf(service: Service, sent: ServerFrame[], each: typeof step extends fc.Arbitrary<infer S> ? S : never) {
  switch (each.do) {
    case "change":
      return service.change(each.totals, each.content.map(asContent), []);
    case "remove":
      return service.change(each.totals, [], [...service.items.keys()].slice(0, 1));
    case "repeat":
      return sent.at(-each.back) ?? service.snapshot();
    case "snapshot":
      return service.snapshot();
    case "restart":
      return service.restart();
    default:
      return each satisfies never;
  }
}

function asContent(item: unknown): LiveContent {
  return item as LiveContent; // the arbitrary is proven against the schema in live-client-frames.test.ts
}

test("any sequence of snapshots and changes, with repeats and new epochs, gives the service's own state", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const service = new Service();
      const sent = [service.snapshot()];
      let numbers = sent.reduce(applyFrame, nothingKnown);
      for (const each of steps) {
        const frame = framesOf(service, sent, each);
        sent.push(frame);
        // Frames of an epoch that is over can only be repeats of a lost connection; those never reach the state.
        if (frame.type === "welcome" || frame.epoch === `h_${service.epoch}`) {
          numbers = applyFrame(numbers, frame);
        }
      }

      expect(numbers.totals).toEqual(service.totals);
      expect(numbers.asOf).toBe(service.asOf);
      expect(new Map(numbers.content)).toEqual(service.items);
    }),
    { numRuns: 500 },
  );
});

const snapshot = new Service().snapshot();

function frameOf(body: Record<string, unknown>): ServerFrame {
  return serverFrameSchema.parse({ epoch: "h_0", seq: 2, at, ...body });
}

test("a frame changes nothing in the state it is applied to", () => {
  const before = applyFrame(nothingKnown, snapshot);
  const kept = structuredClone(before);

  applyFrame(before, frameOf({ type: "subscribers", count: 9, change: 1, asOf: at }));

  expect(before).toEqual(kept);
});

test("a frame that is not newer gives the very same state", () => {
  const before = applyFrame(nothingKnown, snapshot);

  expect(applyFrame(before, frameOf({ type: "status", seq: 1, state: "stale", reason: null, asOf: null }))).toBe(
    before,
  );
});

test("frames of a new epoch wait for its snapshot", () => {
  const before = applyFrame(nothingKnown, snapshot);

  expect(applyFrame(before, frameOf({ type: "subscribers", epoch: "h_9", count: 9, change: 1, asOf: at }))).toBe(
    before,
  );
});

test("each small frame changes its own part", () => {
  const start = applyFrame(nothingKnown, snapshot);
  const after = (body: Record<string, unknown>): LiveNumbers => applyFrame(start, frameOf(body));
  const summary = {
    startedAt: at,
    endedAt: at,
    peakViewers: 3,
    peakAt: null,
    averageViewers: 2,
    uniqueSessions: 5,
    watchSeconds: 90,
    likes: 1,
    shares: 0,
    subscribersGained: 0,
    approximate: false,
  };
  const paidAt = "2026-11-21T08:00:00Z";
  const payment = { lastPaymentAt: paidAt, paymentId: "pay_1", kind: "ad", amountMinor: "120000", currency: "NGN" };

  expect(after({ type: "status", state: "stale", reason: "reader_behind", asOf: at })).toMatchObject({
    state: "stale",
    reason: "reader_behind",
    asOf: at,
  });
  expect(after({ type: "subscribers", count: 9, change: 1, asOf: at }).subscribers).toEqual({ count: 9, asOf: at });
  expect(after({ type: "revenue.changed", version: 13, ...payment }).revenue).toEqual({
    version: 13,
    lastPaymentAt: paidAt,
  });
  expect(after({ type: "payout-settings.changed", changedAt: at, lockedUntil: null }).payoutSettings).toEqual({
    changedAt: at,
    lockedUntil: null,
  });
  expect(after({ type: "stream.ended", contentId: "cnt_01", summary }).endedStreams).toEqual([
    { contentId: "cnt_01", summary },
  ]);
});

function alert(number: number) {
  return {
    alertId: `a_${number}`,
    type: "moderation.decision",
    contentId: "cnt_07",
    decision: "restricted",
    reason: "…",
    policyUrl: null,
    appealBy: null,
    decidedAt: at,
  };
}

test("alerts of later snapshots and frames join those held, each once, and are bounded", () => {
  let numbers = applyFrame(nothingKnown, frameOf({ ...snapshot, alerts: [alert(1), alert(2)] }));
  numbers = applyFrame(numbers, frameOf({ ...snapshot, epoch: "h_1", seq: 1, alerts: [alert(2), alert(3)] }));
  numbers = applyFrame(numbers, frameOf({ type: "moderation.decision", epoch: "h_1", seq: 2, alert: alert(4) }));

  expect(numbers.alerts.map(({ alertId }) => alertId)).toEqual(["a_1", "a_2", "a_3", "a_4"]);

  for (let number = 5; number < 200; number += 1) {
    numbers = applyFrame(
      numbers,
      frameOf({ type: "moderation.decision", epoch: "h_1", seq: number, alert: alert(number) }),
    );
  }

  expect(numbers.alerts).toHaveLength(MAX_KEPT);
  expect(numbers.alerts.at(-1)?.alertId).toBe("a_199");
});
