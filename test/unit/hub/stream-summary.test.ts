import { expect, test } from "vitest";
import { streamShareSchema, type StreamShare } from "../../../src/contract/live-rpc.ts";
import { creator, content, HubBench, source, START } from "./hub-bench.ts";

const MINUTE = 60_000;
const share = (partition: number, more: Partial<StreamShare> = {}): StreamShare =>
  streamShareSchema.parse({
    v: 1,
    creatorId: creator,
    source: source(partition),
    epoch: 1,
    contentId: "cnt_1",
    startedAt: START,
    endedAt: START + 3 * MINUTE,
    peakViewers: 12,
    peakAt: START + MINUTE,
    viewersPerMinute: { firstMinute: START / MINUTE, counts: [4, 12, 8] },
    uniqueSessions: 20,
    watchSeconds: 1_440.5,
    likes: 3,
    shares: 1,
    approximate: false,
    ...more,
  });
const last = (bench: HubBench) => bench.hub.lastStream({ v: 1, contentId: content("cnt_1") });

test("an item without a finished stream has no summary", () => {
  expect(last(new HubBench())).toBeNull();
});

test("the share of a single source is the exact summary, whether or not anyone watches", () => {
  const bench = new HubBench();

  bench.hub.recordStreamShare(share(0));

  expect(last(bench)).toEqual({
    startedAt: new Date(START).toISOString(),
    endedAt: new Date(START + 3 * MINUTE).toISOString(),
    peakViewers: 12,
    peakAt: new Date(START + MINUTE).toISOString(),
    averageViewers: 8,
    uniqueSessions: 20,
    watchSeconds: 1_440.5,
    likes: 3,
    shares: 1,
    subscribersGained: 0,
    approximate: false,
  });
});

test("shares of several sources are added, and their peak is the greatest minute of the sum", () => {
  const bench = new HubBench();

  bench.hub.recordStreamShare(share(0));
  bench.hub.recordStreamShare(
    share(1, {
      startedAt: START + MINUTE + 5,
      endedAt: START + 4 * MINUTE,
      peakViewers: 9,
      peakAt: START + 2 * MINUTE,
      viewersPerMinute: { firstMinute: START / MINUTE + 1, counts: [3, 9, 5] },
    }),
  );

  expect(last(bench)).toMatchObject({
    startedAt: new Date(START).toISOString(),
    endedAt: new Date(START + 4 * MINUTE).toISOString(),
    peakViewers: 17,
    peakAt: new Date(START + 2 * MINUTE).toISOString(),
    averageViewers: 10,
    uniqueSessions: 40,
    likes: 6,
    approximate: true,
  });
});

test("a repeated share counts once and is told once, and a corrected one replaces it", () => {
  const bench = new HubBench();
  const socket = bench.connect();

  bench.hub.recordStreamShare(share(0));
  bench.hub.recordStreamShare(share(0));
  bench.evict();
  bench.hub.recordStreamShare(share(0));
  bench.hub.recordStreamShare(share(0, { recordsCounted: 700 }));
  bench.hub.recordStreamShare(share(0, { likes: 5, recordsCounted: 800 }));
  bench.hub.recordStreamShare(share(0, { likes: 5, recordsCounted: 900 }));

  expect(socket.of("stream.ended").map(({ contentId, summary }) => [contentId, summary.likes])).toEqual([
    ["cnt_1", 3],
    ["cnt_1", 5],
  ]);
});

test("a source whose state was rebuilt replaces its share though it saw another beginning", () => {
  const bench = new HubBench();

  bench.hub.recordStreamShare(share(0));
  bench.hub.recordStreamShare(share(0, { epoch: 2, startedAt: START + MINUTE, uniqueSessions: 15 }));
  bench.hub.recordStreamShare(share(0, { epoch: 1, uniqueSessions: 99 }));

  expect(last(bench)).toMatchObject({ uniqueSessions: 15, approximate: false });
});

test("a later stream of the same item is another one", () => {
  const bench = new HubBench();
  bench.hub.recordStreamShare(share(0));

  bench.hub.recordStreamShare(
    share(0, { startedAt: START + 60 * MINUTE, endedAt: START + 90 * MINUTE, uniqueSessions: 7 }),
  );

  expect(last(bench)).toMatchObject({ startedAt: new Date(START + 60 * MINUTE).toISOString(), uniqueSessions: 7 });
});

test("a share that comes after a longer one of the same stream was overtaken by it", () => {
  const bench = new HubBench();
  bench.hub.recordStreamShare(share(0, { endedAt: START + 5 * MINUTE, watchSeconds: 260 }));

  bench.hub.recordStreamShare(share(0, { endedAt: START + 3 * MINUTE, watchSeconds: 195 }));

  expect(last(bench)).toMatchObject({ endedAt: new Date(START + 5 * MINUTE).toISOString(), watchSeconds: 260 });
});

test("of two shares that end together the one that counted more records is the newer", () => {
  const bench = new HubBench();
  bench.hub.recordStreamShare(share(0, { recordsCounted: 900, likes: 5 }));

  bench.hub.recordStreamShare(share(0, { recordsCounted: 800, likes: 3 }));
  expect(last(bench)).toMatchObject({ likes: 5 });
  bench.hub.recordStreamShare(share(0, { recordsCounted: 901, likes: 4 }));
  expect(last(bench)).toMatchObject({ likes: 4 });
});

test("two minutes between streams keep them apart, and less does not", () => {
  const bench = new HubBench();
  const end = START + 3 * MINUTE;
  bench.hub.recordStreamShare(share(0));

  bench.hub.recordStreamShare(share(0, { startedAt: end + 119_999, endedAt: end + 3 * MINUTE }));
  expect(last(bench)).toMatchObject({ startedAt: new Date(START).toISOString(), uniqueSessions: 40 });
  bench.hub.recordStreamShare(share(0, { startedAt: end + 5 * MINUTE, endedAt: end + 6 * MINUTE }));
  expect(last(bench)).toMatchObject({ startedAt: new Date(end + 5 * MINUTE).toISOString(), uniqueSessions: 20 });
});

test("of streams before the last nothing is kept", () => {
  const bench = new HubBench();

  for (const hour of [3, 1, 2, 4]) {
    const startedAt = START + hour * 60 * MINUTE;
    bench.hub.recordStreamShare(share(0, { startedAt, endedAt: startedAt + MINUTE }));
  }

  expect(bench.storage.newestShares(content("cnt_1"))).toMatchObject([{ startedAt: START + 240 * MINUTE }]);
});

test("subscribers gained are those who subscribed in the stream's minutes, however late that is known", () => {
  const bench = new HubBench();
  bench.hub.recordStreamShare(share(0));
  const subscribe = (offset: number, atMs: number, change: "subscribed" | "unsubscribed") =>
    bench.hub.applyRare({
      v: 1,
      creatorId: creator,
      source: source(9),
      epoch: 1,
      events: [
        {
          kind: "subscription",
          offset,
          broadcast: true,
          event: { eventId: `e_${offset}`, creatorId: creator, change, occurredAt: new Date(atMs).toISOString() },
        },
      ],
    });

  subscribe(0, START - MINUTE, "subscribed");
  subscribe(1, START + MINUTE, "subscribed");
  subscribe(2, START + 2 * MINUTE, "subscribed");
  subscribe(3, START + 2 * MINUTE, "unsubscribed");
  subscribe(4, START + 10 * MINUTE, "subscribed");

  expect(last(bench)?.subscribersGained).toBe(2);
});
