import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mergeContributions, viewsPerMinute } from "../../../src/creator-hub/live-view.ts";
import type { Publish, SourceItem } from "../../../src/contract/live-rpc.ts";
import { HubBench, item, publish, source, START } from "./hub-bench.ts";

test("the first snapshot of a new hub is unavailable with null counts, at once", () => {
  const bench = new HubBench();

  const socket = bench.connect();

  expect(socket.frames.map(({ type }) => type)).toEqual(["welcome", "snapshot"]);
  expect(socket.of("snapshot")[0]).toMatchObject({
    seq: 1,
    state: "unavailable",
    reason: "starting",
    asOf: null,
    totals: { liveViewers: null, views: null, items: null },
    content: [],
    subscribers: { count: null, asOf: null },
    revenue: { version: 0, lastPaymentAt: null },
    alerts: [],
  });
});

test("a part of the sources is no sum: numbers come when all have been heard", () => {
  const bench = new HubBench();
  const socket = bench.connect();

  bench.hub.publish(publish(0, 1, [item("a", { views: 5 })]));
  expect(socket.of("metrics")).toEqual([]);
  bench.tell({ complete: true });

  expect(socket.of("metrics")[0]).toMatchObject({ totals: { views: 5 }, content: [{ contentId: "a", views: 5 }] });
  expect(socket.of("status")[0]).toMatchObject({ state: "live", reason: null });
});

test("a creator without any content is live with zeros once all sources have been heard", () => {
  const bench = new HubBench();
  const socket = bench.connect();

  bench.tell({ complete: true });

  expect(socket.totals).toEqual({
    liveViewers: 0,
    views: 0,
    likes: 0,
    shares: 0,
    completions: 0,
    watchSeconds: 0,
    items: 0,
  });
  expect(socket.state).toBe("live");
});

test("a change goes out at once, later ones of the same quarter second together, and only what changed", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });
  await bench.advance(1_000);

  bench.hub.publish(publish(0, 1, [item("a", { views: 1 }), item("b", { views: 1 })]));
  bench.hub.publish(publish(0, 2, [item("a", { views: 2 }), item("b", { views: 1 })]));
  bench.hub.publish(publish(0, 3, [item("a", { views: 3 }), item("b", { views: 1 })]));
  expect(socket.of("metrics").map(({ totals }) => totals.views)).toEqual([0, 2]);
  await bench.advance(250);

  expect(socket.of("metrics").map(({ totals }) => totals.views)).toEqual([0, 2, 4]);
  expect(
    socket
      .of("metrics")
      .at(-1)
      ?.content.map(({ contentId }) => contentId),
  ).toEqual(["a"]);
});

test("a dashboard opened while others are owed a snapshot gets it with them, as news", async () => {
  const bench = new HubBench();
  const first = bench.connect();
  bench.hub.publish(publish(0, 1, [item("a", { views: 5 })]));
  bench.tell({ complete: true });
  await bench.advance(10_000);

  bench.evict("hibernate");
  const second = bench.connect();
  expect(second.state).toBe("stale");
  bench.hub.publish(publish(0, 2, [item("a", { views: 6 })]));
  bench.tell({ complete: true });

  for (const socket of [first, second]) {
    expect(socket.state).toBe("live");
    expect(socket.totals).toMatchObject({ views: 6 });
  }
});

test("a reader that has yet to catch up brings back nobody who has gone by wall time", () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.hub.publish(publish(0, 7, [item("a", { views: 3 })], { at: START + 100_000 }));
  bench.tell({ complete: true });

  const again = publish(0, 7, [item("a", { views: 3, liveViewers: 3, isLive: true })], { caughtUp: false, at: START });
  expect(bench.hub.publish(again)).toMatchObject({ outcome: "duplicate" });

  expect(socket.totals).toMatchObject({ views: 3, liveViewers: 0 });
});

test("a lease that had lapsed loses nothing, though sources answer the one that began again before the hub hears of it", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.hub.publish(publish(0, 1, [item("a", { views: 5 })]));
  bench.tell({ complete: true });
  await bench.advance(1_000);
  const { hubIncarnation } = bench.renewals.at(-1) ?? {};

  bench.hub.publish(publish(0, 2, [item("a", { views: 6 })]));
  bench.hub.publish(publish(0, 3, [item("a", { views: 7 })]));
  bench.tell({ complete: false });
  bench.tell({
    complete: true,
    hubIncarnation: hubIncarnation ?? "",
    sources: [{ source: source(0), served: { epoch: 1, offset: 3 } }],
  });
  await bench.advance(3_000);

  expect(socket.totals).toMatchObject({ views: 7, items: 1 });
  expect(bench.renewals.at(-1)?.hubIncarnation).not.toBe(hubIncarnation);
});

test("a clock that is set back holds no frame", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });
  await bench.advance(1_000);
  bench.hub.publish(publish(0, 1, [item("a", { views: 1 })]));

  bench.now -= 600_000;
  bench.hub.publish(publish(0, 2, [item("a", { views: 2 })]));

  expect(socket.totals?.views).toBe(2);
});

test("a hub with more than 2,000 sockets asks for a second between publishes and keeps it by alarm", async () => {
  const bench = new HubBench();
  for (let count = 0; count <= 2_000; count += 1) {
    bench.connect();
  }
  bench.tell({ complete: true });
  await bench.advance(1_000);
  const socket = bench.sockets[0];

  const reply = bench.hub.publish(publish(0, 1, [item("a", { views: 1 })]));
  bench.hub.publish(publish(0, 2, [item("a", { views: 2 })]));
  await bench.advance(999);
  expect(socket?.totals?.views).toBe(1);
  await bench.advance(1);

  expect(reply.intervalMs).toBe(1_000);
  expect(socket?.totals?.views).toBe(2);
});

test("the minutes of an item are sent only when a minute has passed", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });
  await bench.advance(1_000);
  const minute = START / 60_000;
  const at = (offset: number, ms: number, counts: number[]) =>
    publish(0, offset, [item("a", { views: offset, viewsPerMinute: { firstMinute: minute, counts } })], {
      at: START + ms,
    });

  bench.hub.publish(at(1, 1_000, [1]));
  await bench.advance(1_000);
  bench.hub.publish(at(2, 2_000, [2]));
  await bench.advance(1_000);
  bench.hub.publish(at(3, 60_000, [2, 1]));

  expect(socket.of("metrics").flatMap((frame) => frame.content.map((one) => one.viewsPerMinute))).toEqual([
    [1],
    undefined,
    [2, 1],
  ]);
});

test("likes are summed below zero and shown as zero", () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });

  bench.hub.publish(publish(0, 1, [item("a", { likes: -3 })]));
  bench.hub.publish(publish(1, 1, [item("a", { likes: 2 })]));

  expect(socket.totals?.likes).toBe(0);
  expect(
    mergeContributions([publish(0, 1, [item("a", { likes: -3 })]), publish(1, 1, [item("a", { likes: 5 })])]),
  ).toMatchObject({
    totals: { likes: 2 },
  });
});

test("two sources of one item are added, and its peak is not known", () => {
  const view = mergeContributions([
    publish(0, 1, [item("a", { liveViewers: 2, peakViewers: 9, peakAt: START, views: 3, since: START + 5 })]),
    publish(1, 1, [item("a", { liveViewers: 1, peakViewers: 4, peakAt: START, views: 4 }), item("b")]),
  ]);

  expect(view.totals).toMatchObject({ liveViewers: 3, views: 7, items: 2 });
  expect([...view.items.values()].map(({ shown }) => shown)).toMatchObject([
    {
      contentId: "a",
      liveViewers: 3,
      peakViewers: null,
      peakAt: null,
      views: 7,
      since: new Date(START).toISOString(),
      approximate: true,
    },
    { contentId: "b" },
  ]);
});

test("of more than 200 items those with most viewers are shown, then the most recent", () => {
  const watched = item("watched", { liveViewers: 1, since: START - 1 });

  const view = mergeContributions([publish(0, 1, items(0)), publish(1, 1, [...items(1).slice(1), watched])]);

  expect(view.items.size).toBe(200);
  expect(view.totals.items).toBe(400);
  expect([...view.items.keys()].slice(0, 3)).toEqual(["watched", "p0_199", "p1_199"]);
  expect(view.items.has(item("p0_0").contentId)).toBe(false);
});

test("minutes of several sources are added and end with the present one", () => {
  const parts = [
    item("a", { viewsPerMinute: { firstMinute: 100, counts: [1, 2] } }),
    item("a", { viewsPerMinute: { firstMinute: 101, counts: [5] } }),
  ];

  expect(viewsPerMinute(parts, 102)).toEqual([1, 7, 0]);
  expect(viewsPerMinute(parts, 160)).toEqual([7, ...Array.from({ length: 59 }, () => 0)]);
  expect(viewsPerMinute(parts, 161)).toEqual([]);
});

test("a source that stands behind what the hub holds makes it stale until it has passed", () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });
  bench.hub.publish(publish(0, 10, [item("a", { views: 10 })]));

  const behind = bench.hub.publish(publish(0, 4, [item("a", { views: 4 })]));
  expect(behind).toMatchObject({ outcome: "behind", held: { epoch: 1, offset: 10 } });
  expect([socket.state, socket.totals?.views]).toEqual(["stale", 10]);
  expect(bench.hub.publish(publish(0, 11, [item("a", { views: 11 })])).outcome).toBe("accepted");

  expect(socket.state).toBe("live");
});

test("a late repeated call makes the hub stale for ten seconds at most", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });
  bench.hub.publish(publish(0, 10, [item("a", { views: 10 })]));

  bench.hub.publish(publish(0, 4, [item("a", { views: 4 })]));
  await bench.advance(10_000);

  expect(socket.state).toBe("live");
});

test("a new epoch replaces a contribution even where its offset is lower", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });
  bench.hub.publish(publish(0, 10, [item("a", { views: 10 })]));

  const reply = bench.hub.publish(publish(0, 1, [item("b", { views: 1 })], { epoch: 2 }));
  await bench.advance(250);

  expect(reply).toMatchObject({ outcome: "accepted", held: { epoch: 2, offset: 1 } });
  expect([socket.totals?.views, [...socket.items.keys()]]).toEqual([1, ["b"]]);
});

test("what was known survives an eviction as the last known, and a silent source's numbers end with its silence", async () => {
  const bench = new HubBench();
  const first = bench.connect();
  bench.tell({ complete: true });
  bench.hub.publish(publish(0, 10, [item("a", { views: 10 })]));
  bench.hub.publish(publish(1, 10, [item("b", { views: 7 })]));
  await bench.advance(5_000);

  bench.evict("close");
  const socket = bench.connect();
  expect(socket.of("snapshot")[0]).toMatchObject({ state: "stale", reason: "starting", totals: { views: 17 } });
  bench.hub.publish(publish(1, 12, [item("b", { views: 8 })]));
  bench.tell({
    complete: true,
    sources: [
      { source: source(0), served: { epoch: 1, offset: 20 } },
      { source: source(1), served: { epoch: 1, offset: 12 } },
    ],
  });
  await bench.advance(250);

  expect(first.closed).not.toBeNull();
  expect([socket.state, socket.totals?.views, [...socket.items.keys()]]).toEqual(["live", 8, ["b"]]);
});

test("a silent source whose reader has not come as far again keeps its numbers and makes them stale", async () => {
  const bench = new HubBench();
  bench.connect();
  bench.tell({ complete: true });
  bench.hub.publish(publish(0, 10, [item("a", { views: 10 })]));
  await bench.advance(5_000);

  bench.evict("close");
  const socket = bench.connect();
  bench.tell({ complete: true, sources: [{ source: source(0), served: { epoch: 1, offset: 9 } }] });

  expect([socket.state, socket.totals?.views]).toEqual(["stale", 10]);
});

test("a source that is no longer expected does not count", () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.hub.publish(publish(0, 10, [item("a", { views: 10 })]));
  bench.hub.publish(publish(1, 10, [item("b", { views: 7 })]));

  bench.tell({ complete: true, sources: [{ source: source(0), served: { epoch: 1, offset: 10 } }] });

  expect(socket.totals?.views).toBe(10);
});

test("sockets that outlive an eviction get a new epoch with a new snapshot, under a new lease", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });
  bench.hub.publish(publish(0, 10, [item("a", { views: 10 })]));
  await bench.advance(5_000);

  bench.evict();
  bench.hub.publish(publish(0, 11, [item("a", { views: 11 })]));
  expect(socket.of("snapshot")).toHaveLength(1);
  bench.tell({ complete: true });

  const [before, after] = socket.of("snapshot");
  expect(after).toMatchObject({ seq: 1, state: "live", totals: { views: 11 } });
  expect(after?.epoch).not.toBe(before?.epoch);
  expect(new Set(bench.renewals.map(({ hubIncarnation }) => hubIncarnation)).size).toBe(2);
});

test("sockets that outlive an eviction wait two seconds at most for their snapshot", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });
  bench.hub.publish(publish(0, 10, [item("a", { views: 10 })]));
  await bench.advance(5_000);

  bench.evict();
  await bench.advance(2_000);

  expect(socket.of("snapshot").at(-1)).toMatchObject({ state: "stale", reason: "starting", totals: { views: 10 } });
});

test("live totals are stored after five seconds of quiet, and every thirty while they change", async () => {
  const bench = new HubBench();
  bench.connect();
  bench.tell({ complete: true });
  const stored = () => bench.storage.loadLive().contributions.map(({ offset }) => offset);

  for (let second = 1; second <= 40; second += 1) {
    bench.hub.publish(publish(0, second, [item("a", { views: second })]));
    await bench.advance(1_000);
    expect(stored().length).toBe(second < 30 ? 0 : 1);
  }
  await bench.advance(5_000);

  expect(stored()).toEqual([40]);
});

test("an alarm is set seldom: writes cost money", async () => {
  const bench = new HubBench();
  bench.connect();
  bench.tell({ complete: true });

  for (let tick = 1; tick <= 240; tick += 1) {
    bench.hub.publish(publish(0, tick, [item("a", { views: tick })]));
    await bench.advance(250);
  }

  expect(bench.alarmsSet.length).toBeLessThanOrEqual(20);
});

/** Two hundred items that appeared one after the other. */
function items(partition: number): SourceItem[] {
  return Array.from({ length: 200 }, (_, index) => item(`p${partition}_${index}`, { since: START + index }));
}

/** One publish of a random source at a random position: later positions have more views. */
const anyPublish = fc
  .record({
    partition: fc.nat(2),
    epoch: fc.integer({ min: 1, max: 2 }),
    offset: fc.nat(8),
    late: fc.nat(2),
  })
  .map(({ partition, epoch, offset, late }) =>
    publish(
      partition,
      offset,
      Array.from({ length: (offset % 4) + 1 }, (_, index) =>
        item(`${partition}_${index}`, { views: offset * 10 + late, likes: offset - 4, watchSeconds: offset / 3 }),
      ),
      { epoch, at: START + epoch * 1_000 + offset * 10 + late },
    ),
  );
const isNewer = (a: Publish, b: Publish | undefined) =>
  b === undefined || (a.epoch - b.epoch || a.offset - b.offset || a.at - b.at) > 0;

test("publishes in any order, doubled or lost, interrupted by evictions, end with the newest of each source", async () => {
  const step = fc.oneof(
    { weight: 10, arbitrary: anyPublish.map((call) => ({ kind: "publish" as const, call })) },
    { weight: 3, arbitrary: fc.nat(600).map((ms) => ({ kind: "wait" as const, ms })) },
    { weight: 1, arbitrary: fc.constant({ kind: "evict" as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: "connect" as const }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const bench = new HubBench();
      bench.connect();
      bench.tell({ complete: true });
      const delivered: Publish[] = [];
      for (const one of steps) {
        if (one.kind === "publish") {
          bench.hub.publish(one.call);
          delivered.push(one.call);
        } else if (one.kind === "wait") {
          await bench.advance(one.ms);
        } else if (one.kind === "connect") {
          bench.connect();
        } else {
          bench.evict();
          // Readers publish their state again to a hub under a new incarnation.
          for (const call of newest(delivered).values()) {
            bench.hub.publish(call);
          }
          bench.tell({ complete: true });
        }
      }
      await bench.advance(15_000);

      const expected = mergeContributions(
        [...newest(delivered).values()].toSorted((a, b) => (a.source < b.source ? -1 : 1)),
      );
      for (const socket of bench.sockets) {
        expect(socket.totals).toEqual(expected.totals);
        expect([...socket.items.keys()].toSorted()).toEqual([...expected.items.keys()].toSorted());
        for (const [contentId, { shown }] of expected.items) {
          expect(socket.items.get(contentId)).toMatchObject(shown);
        }
        expect(socket.state).toBe("live");
      }
    }),
    { numRuns: 300 },
  );
});

function newest(calls: readonly Publish[]): Map<string, Publish> {
  const bySource = new Map<string, Publish>();
  for (const call of calls) {
    if (isNewer(call, bySource.get(call.source))) {
      bySource.set(call.source, call);
    }
  }
  return bySource;
}
