import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeFold, encodeFold } from "../../../src/consumer/checkpoint/fold-codec.ts";
import type { EngagementRecord } from "../../../src/consumer/decode/decode-engagement.ts";
import { EngagementFold } from "../../../src/consumer/fold/engagement-fold.ts";
import { defaultFoldLimits, type FoldLimits } from "../../../src/consumer/fold/fold-state.ts";
import { publicationOf, ViewersAt } from "../../../src/consumer/publish/publication.ts";
import { contentIdSchema, creatorIdSchema, sourceOf } from "../../../src/contract/ids.ts";
import { type Publish, publishSchema } from "../../../src/contract/live-rpc.ts";
import { logs, START, type Step, tightLimits } from "./arbitraries.ts";

const creatorId = creatorIdSchema.parse("crt_1");
const contentId = contentIdSchema.parse("cnt_1");
const source = sourceOf("topic", 0);
let number = 0;

function event(change: Partial<EngagementRecord> = {}): EngagementRecord {
  return {
    type: "view.heartbeat",
    eventId: `e${number++}`,
    creatorId,
    contentId,
    sessionId: "s1",
    occurredAt: START,
    watchSeconds: 0,
    isLive: false,
    ...change,
  };
}

function foldOf(steps: readonly Step[], limits: FoldLimits = defaultFoldLimits): EngagementFold {
  const fold = new EngagementFold(undefined, limits);
  steps.forEach(({ timestamp, event: each }) => fold.apply(timestamp, each));
  return fold;
}

/** Applies events one second apart. */
function foldEvents(...events: Partial<EngagementRecord>[]): EngagementFold {
  return foldOf(
    events.map((change, i) => ({
      timestamp: START + i * 1_000,
      event: event({ occurredAt: START + i * 1_000, ...change }),
    })),
  );
}

function shown({ state }: EngagementFold, at = state.time, id = creatorId): Publish {
  return publicationOf(state, id, { source, epoch: 1, offset: 1, at, caughtUp: true }, new ViewersAt(state, at));
}

const item = (fold: EngagementFold, at?: number) => shown(fold, at).items[0];

describe("what is counted", () => {
  test("each kind of event counts once, likes up and down", () => {
    const fold = foldEvents(
      { type: "view.started" },
      { type: "like.added" },
      { type: "like.added", sessionId: "s2" },
      { type: "like.removed" },
      { type: "share.created" },
      { type: "view.completed" },
      { watchSeconds: 15 },
    );
    expect(shown(fold).totals).toEqual({
      liveViewers: 1,
      views: 1,
      likes: 1,
      shares: 1,
      completions: 1,
      watchSeconds: 15,
      items: 1,
    });
  });

  test("one beat counts sixty seconds of watching at most, and none when it says nothing", () => {
    expect(shown(foldEvents({ watchSeconds: 86_400 }, {})).totals.watchSeconds).toBe(60);
  });

  test("a repeated event changes nothing, within ten minutes of log time", () => {
    const like = event({ type: "like.added" });
    const repeatedAfter = (ms: number) =>
      shown(
        foldOf([
          { timestamp: START, event: like },
          { timestamp: START + ms, event: like },
        ]),
      ).totals.likes;
    expect(repeatedAfter(599_000)).toBe(1);
    expect(repeatedAfter(601_000)).toBe(2);
  });

  test("a view that is overtaken by its first heartbeat is still a view, and its beat is ignored", () => {
    const fold = foldEvents(
      { occurredAt: START, watchSeconds: 15 },
      { type: "view.started", occurredAt: START - 15_000 },
    );
    expect(shown(fold).totals).toMatchObject({ views: 1, watchSeconds: 15, liveViewers: 1 });
  });

  test("the same content under two creators is two items", () => {
    const other = creatorIdSchema.parse("crt_2");
    const fold = foldEvents(
      { type: "view.started" },
      { type: "view.started", creatorId: other },
      { type: "like.added" },
    );
    expect(shown(fold).totals).toMatchObject({ views: 1, likes: 1, liveViewers: 1 });
    expect(shown(fold, undefined, other).totals).toMatchObject({ views: 1, likes: 0, liveViewers: 1 });
  });

  test("content idle for 48 hours of log time is dropped, and shows again with a later since", () => {
    const hour = 3_600_000;
    const fold = foldOf([
      { timestamp: START, event: event({ type: "like.added" }) },
      { timestamp: START + 47 * hour, event: event({ contentId: contentIdSchema.parse("cnt_2") }) },
    ]);
    expect(shown(fold).totals.items).toBe(2);
    fold.skip(START + 49 * hour, "unknown");
    expect(shown(fold).totals).toMatchObject({ items: 1, likes: 0 });
    fold.apply(START + 49 * hour, event({ type: "like.added" }));
    expect(shown(fold).items.find((each) => each.contentId === contentId)).toMatchObject({
      likes: 1,
      since: START + 49 * hour,
    });
  });

  test("a timestamp in microseconds does not move log time", () => {
    const fold = foldOf([
      { timestamp: START, event: event({}) },
      { timestamp: START * 1_000, event: event({ type: "like.added" }) },
    ]);
    expect(fold.state.time).toBe(START);
    expect(shown(fold).totals).toMatchObject({ liveViewers: 1, likes: 1 });
  });
});

describe("who is watching", () => {
  test("a session counts for 45 seconds after its beat, to the millisecond", () => {
    const fold = foldEvents({});
    expect(item(fold, START + 44_999)?.liveViewers).toBe(1);
    expect(item(fold, START + 45_000)?.liveViewers).toBe(0);
    fold.skip(START + 44_999, "unknown");
    expect(item(fold)?.liveViewers).toBe(1);
    fold.skip(START + 45_000, "unknown");
    expect(item(fold)?.liveViewers).toBe(0);
  });

  test("a beat from a clock that is ahead counts from log time on, and its repeat does not count again", () => {
    const ahead = event({ occurredAt: START + 600_000, watchSeconds: 15 });
    const fold = foldOf([
      { timestamp: START, event: ahead },
      { timestamp: START + 10_000, event: ahead },
    ]);
    expect(shown(fold).totals).toMatchObject({ liveViewers: 1, watchSeconds: 15 });
    expect(item(fold, START + 45_000)?.liveViewers).toBe(0);
  });

  test("a session counts for its latest item only", () => {
    const fold = foldEvents({}, { contentId: contentIdSchema.parse("cnt_2") });
    expect(shown(fold).items.map((each) => [each.contentId, each.liveViewers])).toEqual([
      ["cnt_2", 1],
      ["cnt_1", 0],
    ]);
  });

  test("an ended session counts again only after a later beat", () => {
    expect(item(foldEvents({}, { type: "view.ended" }))?.liveViewers).toBe(0);
    expect(item(foldEvents({}, { type: "view.ended" }, { occurredAt: START + 500 }))?.liveViewers).toBe(0);
    expect(item(foldEvents({}, { type: "view.ended" }, {}))?.liveViewers).toBe(1);
  });

  test("the end of an item that the session no longer watches ends nothing", () => {
    const second = contentIdSchema.parse("cnt_2");
    const fold = foldEvents({}, { contentId: second }, { type: "view.ended", watchSeconds: 5 });
    expect(shown(fold).totals).toMatchObject({ liveViewers: 1, watchSeconds: 5 });
  });

  test("the peak is the most at one instant, and keeps its instant", () => {
    const fold = foldEvents({}, { sessionId: "s2" }, { type: "view.ended" }, { sessionId: "s3" });
    expect(item(fold)).toMatchObject({ liveViewers: 2, peakViewers: 2, peakAt: START + 1_000 });
  });

  test("views per minute belong to the minutes in which they happened", () => {
    const fold = foldOf([
      { timestamp: START, event: event({ type: "view.started", sessionId: "a" }) },
      {
        timestamp: START + 120_000,
        event: event({ type: "view.started", sessionId: "b", occurredAt: START + 120_000 }),
      },
      {
        timestamp: START + 121_000,
        event: event({ type: "view.started", sessionId: "c", occurredAt: START + 65_000 }),
      },
    ]);
    expect(item(fold)?.viewsPerMinute).toEqual({ firstMinute: START / 60_000, counts: [1, 1, 1] });
  });
});

const live = (at: number, sessionId: string, more: Partial<EngagementRecord> = {}) => ({
  timestamp: at,
  event: event({ occurredAt: at, sessionId, isLive: true, watchSeconds: 10, ...more }),
});

describe("streams", () => {
  test("a stream ends two minutes after its last live beat, with its own numbers", () => {
    const fold = foldOf([
      { timestamp: START - 1_000, event: event({ type: "like.added" }) },
      live(START, "a", { type: "view.started" }),
      live(START + 1_000, "b"),
      live(START + 15_000, "a"),
      { timestamp: START + 16_000, event: event({ type: "like.added" }) },
    ]);
    expect(item(fold)?.isLive).toBe(true);
    fold.skip(START + 134_999, "unknown");
    expect(fold.state.ended).toEqual([]);
    fold.skip(START + 135_000, "unknown");
    expect(item(fold)?.isLive).toBe(false);
    expect(fold.state.ended).toEqual([
      {
        creatorId,
        contentId,
        startedAt: START,
        endedAt: START + 15_000,
        peakViewers: 2,
        peakAt: START + 1_000,
        viewersPerMinute: { firstMinute: START / 60_000, counts: [2] },
        uniqueSessions: 2,
        watchSeconds: 30,
        likes: 1,
        shares: 0,
        approximate: false,
        recordsCounted: 6,
      },
    ]);
  });

  test("a minute without news has the viewers of its beginning", () => {
    const fold = foldOf([live(START + 50_000, "a"), live(START + 110_000, "b"), live(START + 130_000, "b")]);
    fold.skip(START + 400_000, "unknown");
    expect(fold.state.ended[0]?.viewersPerMinute).toEqual({ firstMinute: START / 60_000, counts: [1, 1, 1] });
  });

  test("more sessions than fit exactly are counted within five percent and said to be approximate", () => {
    const steps = Array.from({ length: 5_000 }, (_, i) => live(START + i, `s${i}`));
    const fold = foldOf(steps);
    fold.skip(START + 200_000, "unknown");
    const [result] = fold.state.ended;
    expect(result?.approximate).toBe(true);
    expect(Math.abs((result?.uniqueSessions ?? 0) / 5_000 - 1)).toBeLessThan(0.05);
  });
});

test("a checkpoint keeps the epoch of results carried over from an earlier state, and of others none", () => {
  const fold = foldOf([live(START, "a")]);
  fold.skip(START + 200_000, "unknown");
  const [result] = fold.state.ended;
  if (result === undefined) {
    throw new Error("the stream has not ended");
  }
  fold.state.ended.push({ ...result, epoch: 7 });
  expect(decodeFold(encodeFold(fold.state), defaultFoldLimits).ended).toEqual([result, { ...result, epoch: 7 }]);
  expect("epoch" in result).toBe(false);
});

describe("beyond memory", () => {
  test("the largest audience becomes a sketch that says so, within five percent, and expires", () => {
    const limits = { ...defaultFoldLimits, sessions: 8_000, crowd: 1_000 };
    const large = Array.from({ length: 9_000 }, (_, i) => ({
      timestamp: START + i,
      event: event({ occurredAt: START + i, sessionId: `s${i}` }),
    }));
    const small = contentIdSchema.parse("cnt_small");
    const few = Array.from({ length: 100 }, (_, i) => ({
      timestamp: START + 9_000 + i,
      event: event({ occurredAt: START + 9_000 + i, sessionId: `t${i}`, contentId: small }),
    }));
    const fold = foldOf([...large, ...few], limits);
    const [first, second] = shown(fold).items;
    expect(first).toMatchObject({ contentId, approximate: true });
    expect(Math.abs((first?.liveViewers ?? 0) / 9_000 - 1)).toBeLessThan(0.05);
    expect(second).toMatchObject({ contentId: small, approximate: false, liveViewers: 100 });
    fold.skip(START + 120_000, "unknown");
    expect(shown(fold).totals.liveViewers).toBe(0);
    expect(fold.state.crowds.size).toBe(0);
  });

  test("more items than fit drop those longest idle", () => {
    const steps = Array.from({ length: 12 }, (_, i) => ({
      timestamp: START + i,
      event: event({ type: "like.added", contentId: contentIdSchema.parse(`cnt_${i}`) }),
    }));
    const fold = foldOf(steps, { ...defaultFoldLimits, items: 8 });
    expect(shown(fold).items.map((each) => each.contentId)).toEqual([11, 10, 9, 8, 7, 6, 5, 4].map((i) => `cnt_${i}`));
  });
});

describe("properties", () => {
  const creators = [0, 1, 2].map((i) => creatorIdSchema.parse(`crt_${i}`));
  const everything = (fold: EngagementFold) => ({
    bytes: encodeFold(fold.state),
    publications: creators.map((id) => shown(fold, undefined, id)),
  });

  test("a state decoded from a checkpoint at any point goes on exactly as if nothing had happened", () => {
    fc.assert(
      fc.property(logs(), fc.nat(120), fc.boolean(), (log, cut, isTight) => {
        const limits = isTight ? tightLimits : defaultFoldLimits;
        const first = foldOf(log.slice(0, cut), limits);
        const second = new EngagementFold(decodeFold(encodeFold(first.state), limits), limits);
        log.slice(cut).forEach(({ timestamp, event: each }) => second.apply(timestamp, each));
        expect(everything(second)).toEqual(everything(foldOf(log, limits)));
      }),
      { numRuns: 300 },
    );
  });

  test("every event twice, at once, is the same as once", () => {
    fc.assert(
      fc.property(logs(), (log) => {
        const once = foldOf(log);
        const twice = foldOf(log.flatMap((step) => [step, step]));
        expect(creators.map((id) => shown(twice, undefined, id))).toEqual(
          creators.map((id) => shown(once, undefined, id)),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("whatever is folded is a valid publication that never counts below zero", () => {
    fc.assert(
      fc.property(logs(), fc.boolean(), fc.nat(100_000), (log, isTight, later) => {
        const fold = foldOf(log, isTight ? tightLimits : defaultFoldLimits);
        for (const id of creators) {
          const publish = shown(fold, fold.state.time + later, id);
          expect(publishSchema.parse(publish)).toEqual(publish);
          const sum = publish.items.reduce((viewers, each) => viewers + each.liveViewers, 0);
          expect(publish.totals.liveViewers).toBe(sum);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("viewers are the distinct sessions whose newest beat lies in the window", () => {
    fc.assert(
      fc.property(logs(), (log) => {
        const fold = foldOf(log.filter(({ event: each }) => each.type === "view.heartbeat"));
        const newest = new Map<string, { at: number; occurredAt: number; heardAt: number }>();
        let time = 0;
        for (const { timestamp, event: each } of log) {
          if (each.type !== "view.heartbeat") {
            continue;
          }
          time = Math.max(time, timestamp);
          const key = `${each.creatorId}/${each.sessionId}`;
          const known = newest.get(key);
          // A session that was quiet for ten minutes, by minutes of log time, is forgotten.
          const isForgotten =
            known !== undefined &&
            Math.floor(Math.floor(time / 60_000) * 60) - Math.floor(known.heardAt / 1_000) >= 600;
          if (known === undefined || isForgotten || each.occurredAt > known.occurredAt) {
            newest.set(key, { at: Math.min(each.occurredAt, time), occurredAt: each.occurredAt, heardAt: time });
          }
        }
        const expected = [...newest.values()].filter(({ at }) => at + 45_000 > time).length;
        expect(creators.reduce((sum, id) => sum + shown(fold, undefined, id).totals.liveViewers, 0)).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });
});
