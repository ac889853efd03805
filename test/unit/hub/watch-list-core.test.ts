import { expect, test } from "vitest";
import { partitionOf } from "../../../src/contract/partitioner.ts";
import { source } from "./hub-bench.ts";
import { creatorOf, lease, WatchListBench } from "./watch-list-bench.ts";

const both = [source(0), source(1)];
/** A creator whose key falls into the partition, of two. */
const creatorIn = (partition: number) => {
  const id = Array.from({ length: 100 }, (_, number) => `crt_${number}`).find(
    (one) => partitionOf(one, 2) === partition,
  );
  return creatorOf(id ?? "");
};
const alice = creatorIn(0);
const bob = creatorIn(1);

/** A list with both sources expected and healthy. */
function started(): WatchListBench {
  const bench = new WatchListBench();
  bench.list.expect({ v: 1, sources: both });
  bench.report(source(0), null);
  bench.report(source(1), null);
  return bench;
}

test("a reader without a version gets the whole list, later polls only what changed", () => {
  const bench = started();
  bench.list.renew(lease(alice));

  const first = bench.report(source(0), null);
  const second = bench.report(source(0), first.version);
  bench.list.renew(lease(bob));
  const third = bench.report(source(0), second.version);
  bench.list.release(lease(alice));
  const fourth = bench.report(source(0), third.version);

  expect(first).toMatchObject({ whole: true, watchers: [{ creatorId: alice, hubIncarnation: "h_100" }], left: [] });
  expect(second).toMatchObject({ whole: false, watchers: [], left: [] });
  expect(third).toMatchObject({ whole: false, watchers: [{ creatorId: bob }], left: [] });
  expect(fourth).toMatchObject({ whole: false, watchers: [], left: [alice] });
});

test("a creator that left and came back between two polls is a watcher under the new incarnation", () => {
  const bench = started();
  bench.list.renew(lease(alice));
  const { version } = bench.report(source(0), null);

  bench.list.release(lease(alice));
  bench.list.renew(lease(alice, "h_101"));

  expect(bench.report(source(0), version)).toMatchObject({
    watchers: [{ creatorId: alice, hubIncarnation: "h_101" }],
    left: [],
  });
});

test("a renewal is no news to readers, and a new incarnation is", () => {
  const bench = started();
  bench.list.renew(lease(alice));
  const { version } = bench.report(source(0), null);

  bench.list.renew(lease(alice));
  expect(bench.report(source(0), version).watchers).toEqual([]);
  bench.list.renew(lease(alice, "h_101"));

  expect(bench.report(source(0), version).watchers).toHaveLength(1);
});

test("a version of another incarnation of the list gets the whole list", () => {
  const bench = started();
  bench.list.renew(lease(alice));
  const { version } = bench.report(source(0), null);

  bench.restart();
  const after = bench.report(source(0), version);

  expect(after).toMatchObject({ whole: true, watchers: [{ creatorId: alice, hubIncarnation: "h_100" }] });
  expect(after.version.incarnation).not.toBe(version.incarnation);
});

test("a version too old for the kept history gets the whole list", () => {
  const bench = started();
  const { version } = bench.report(source(0), null);

  for (let turn = 0; turn < 25_000; turn += 1) {
    bench.list.renew(lease(alice, `h_${100_000 + turn}`));
  }

  expect(bench.report(source(0), version)).toMatchObject({ whole: true, watchers: [{ hubIncarnation: "h_124999" }] });
});

test("a hub is told that it is complete once every expected source has served its incarnation", async () => {
  const bench = started();
  expect(bench.list.renew(lease(alice))).toMatchObject({ complete: false, state: "ok" });

  bench.serve(source(0), { offset: 9 });
  expect(bench.told).toEqual([]);
  bench.serve(source(1), { offset: 4 });
  await bench.settle();

  expect(bench.told).toMatchObject([
    {
      creatorId: alice,
      hubIncarnation: "h_100",
      complete: true,
      state: "ok",
      sources: [
        { source: source(0), served: { epoch: 1, offset: 9 } },
        { source: source(1), served: { epoch: 1, offset: 4 } },
      ],
    },
  ]);
});

test("a version polled before the lease says nothing of it", () => {
  const bench = started();
  const { version } = bench.report(source(0), null);
  bench.report(source(1), null);
  bench.list.renew(lease(alice));

  bench.report(source(0), version);
  bench.report(source(1), version);

  expect(bench.list.renew(lease(alice)).complete).toBe(false);
});

test("a hub that a reader cannot reach is not complete, and those it can reach are", () => {
  const bench = started();
  bench.list.renew(lease(alice));
  bench.list.renew(lease(bob));
  const failing = { unserved: [alice] };

  bench.serve(source(0), failing);
  bench.serve(source(1));

  expect(bench.list.renew(lease(alice)).complete).toBe(false);
  expect(bench.list.renew(lease(bob)).complete).toBe(true);
  bench.serve(source(0));
  expect(bench.list.renew(lease(alice)).complete).toBe(true);
});

test("nothing is complete while no source is expected", () => {
  const bench = new WatchListBench();
  bench.list.renew(lease(alice));

  bench.serve(source(0));

  expect(bench.list.renew(lease(alice)).complete).toBe(false);
});

test("a new incarnation must be served again", () => {
  const bench = started();
  bench.list.renew(lease(alice));
  bench.serve(source(0));
  bench.serve(source(1));

  expect(bench.list.renew(lease(alice)).complete).toBe(true);
  expect(bench.list.renew(lease(alice, "h_101")).complete).toBe(false);
});

test("late calls of an earlier incarnation neither replace nor release the lease of a later one", () => {
  const bench = started();
  bench.list.renew(lease(alice, "h_zz"));
  bench.list.renew(lease(alice, "h_100"));

  const answer = bench.list.renew(lease(alice, "h_zz"));
  bench.list.release(lease(alice, "h_zz"));

  expect(answer).toMatchObject({ hubIncarnation: "h_zz", complete: false });
  expect(bench.report(source(0), null).watchers).toEqual([{ creatorId: alice, hubIncarnation: "h_100" }]);
});

test("a lease that is not renewed lapses, and is told to readers as left", async () => {
  const bench = started();
  bench.list.renew(lease(alice));
  bench.list.renew(lease(bob));
  const { version } = bench.report(source(0), null);

  await bench.advance(140_000);
  bench.list.renew(lease(bob));
  await bench.advance(15_000);

  expect(bench.report(source(0), version)).toMatchObject({ watchers: [], left: [alice] });
});

test("leases outlive a restart, and lapse if nobody renews them then", async () => {
  const bench = started();
  bench.list.renew(lease(alice));

  bench.restart();
  expect(bench.report(source(0), null).watchers).toHaveLength(1);
  await bench.advance(155_000);

  expect(bench.report(source(0), null).watchers).toEqual([]);
  expect(bench.alarmAt).toBeNull();
});

test("a source that stalls makes stale the creators it serves, and no others, within 15 s, and live again after", async () => {
  const bench = started();
  for (const creatorId of [alice, bob]) {
    bench.list.renew(lease(creatorId));
  }
  bench.serve(source(0));
  bench.serve(source(1));
  await bench.settle();
  const beforeStall = bench.told.length;

  for (let second = 0; second < 15; second += 1) {
    bench.report(source(1), null);
    await bench.advance(1_000);
  }
  expect(bench.told.slice(beforeStall)).toMatchObject([{ creatorId: alice, state: "stale", reason: "reader_stalled" }]);
  bench.report(source(0), null);
  await bench.settle();

  expect(bench.told.slice(beforeStall + 1)).toMatchObject([{ creatorId: alice, state: "ok", reason: null }]);
});

test("a reader that polls but cannot fetch stalls too, by the list's clock and not by the reader's", async () => {
  const bench = started();
  bench.list.renew(lease(alice));
  bench.serve(source(0));
  bench.serve(source(1));
  const wrongClock = bench.now + 3_600_000;

  for (let second = 0; second < 15; second += 1) {
    bench.report(source(1), null);
    bench.report(source(0), null, { state: "failing", lastFetchAt: wrongClock, caughtUp: false });
    await bench.advance(1_000);
  }

  expect(bench.wordTo(alice)).toMatchObject({ complete: true, state: "stale", reason: "reader_stalled" });
});

test("a source that has published of a creator serves it, whatever its partition", async () => {
  const bench = started();
  bench.list.renew(lease(bob, "h_100", [source(0)]));
  bench.serve(source(0));
  bench.serve(source(1));

  for (let second = 0; second < 15; second += 1) {
    bench.report(source(1), null);
    await bench.advance(1_000);
  }

  expect(bench.wordTo(bob)).toMatchObject({ state: "stale" });
});

test("a reader that begins again has not fetched yet: its source stalls when it would have", async () => {
  const bench = started();
  bench.list.renew(lease(alice));
  await bench.advance(9_000);
  bench.report(source(1), null);

  bench.report(source(0), null, { lastFetchAt: null });
  await bench.advance(1_000);

  expect(bench.told.at(-1)).toMatchObject({ creatorId: alice, state: "stale", reason: "reader_stalled" });
});

test("a reader that begins again has still not reached whom it had not", () => {
  const bench = started();
  bench.list.renew(lease(alice));
  const { version } = bench.report(source(0), null);
  bench.report(source(0), version, {}, { unserved: [alice] });
  bench.report(source(1), version);

  bench.report(source(0), null);

  expect(bench.list.renew(lease(alice))).toMatchObject({ complete: false });
});

test("a hub is told of a source that is new as soon as that has reported", async () => {
  const bench = started();
  bench.list.renew(lease(alice));
  const { version } = bench.report(source(0), null);
  bench.report(source(0), version);
  bench.report(source(1), version);
  await bench.settle();
  const before = bench.told.length;

  bench.list.expect({ v: 1, sources: [...both, source(2)] });
  bench.report(source(2), null);
  await bench.settle();

  expect(bench.told.slice(before)).toMatchObject([
    { creatorId: alice, complete: true, sources: [{}, {}, { source: source(2), served: null }] },
  ]);
});

test("a stopped source is stale at once, and one far behind is stale as behind", async () => {
  const bench = started();
  bench.list.renew(lease(alice));
  bench.serve(source(0));
  bench.serve(source(1));

  bench.report(source(0), null, { caughtUp: false, lagSeconds: 11 });
  await bench.settle();
  expect(bench.wordTo(alice)).toMatchObject({ state: "stale", reason: "reader_behind" });
  bench.report(source(0), null, { state: "stopped" });
  await bench.settle();
  expect(bench.wordTo(alice)).toMatchObject({ state: "stale", reason: "source_stopped" });
  bench.report(source(0), null, { caughtUp: false, lagSeconds: 9 });
  await bench.settle();

  expect(bench.wordTo(alice)).toMatchObject({ state: "ok" });
});

test("a source that is down does not hold back creators whom it does not serve", async () => {
  const bench = new WatchListBench();
  bench.list.expect({ v: 1, sources: both });
  bench.list.renew(lease(alice));
  bench.list.renew(lease(bob));

  for (let second = 0; second < 12; second += 1) {
    bench.serve(source(0));
    await bench.advance(1_000);
  }

  expect(bench.wordTo(alice)).toMatchObject({ complete: true, state: "ok" });
  expect(bench.wordTo(bob)).toMatchObject({ complete: false, state: "stale", reason: "reader_stalled" });
});

test("a hub that cannot be reached is told again, and only until it has heard", async () => {
  const bench = started();
  bench.list.renew(lease(alice));
  bench.hubsDown = true;
  bench.serve(source(0));
  bench.serve(source(1));
  await bench.settle();
  expect(bench.told).toHaveLength(1);

  await bench.advance(1_000);
  expect(bench.told).toHaveLength(2);
  bench.hubsDown = false;
  for (let second = 0; second < 12; second += 1) {
    bench.report(source(0), null);
    bench.report(source(1), null);
    await bench.advance(1_000);
  }

  expect(bench.told).toMatchObject([{ complete: true }, { complete: true }, { complete: true }]);
});

test("an outage of every source tells many hubs, a bounded number at a time, and each of them once", async () => {
  const bench = started();
  const creators = Array.from({ length: 200 }, (_, number) => creatorOf(`many_${number}`));
  for (const creatorId of creators) {
    bench.list.renew(lease(creatorId));
  }
  bench.heldCalls = [];

  await bench.advance(11_000);
  expect(bench.told).toHaveLength(32);
  while (bench.heldCalls.length > 0) {
    for (const answer of bench.heldCalls.splice(0)) {
      answer();
    }
    await bench.settle();
  }

  expect(new Set(bench.told.map(({ creatorId }) => creatorId)).size).toBe(200);
  expect(bench.told).toHaveLength(200);
});

test("hubs that never answer keep the word from no other", async () => {
  const bench = started();
  for (let number = 0; number < 40; number += 1) {
    bench.silentHubs.add(creatorOf(`silent_${number}`));
    bench.list.renew(lease(creatorOf(`silent_${number}`)));
  }
  bench.list.renew(lease(alice));

  await bench.advance(30_000);

  expect(bench.wordTo(alice)).toMatchObject({ state: "stale" });
});

test("a restart tells no hub anything before the sources have reported or have had time to", async () => {
  const bench = started();
  bench.list.renew(lease(alice));
  bench.serve(source(0));
  bench.serve(source(1));
  await bench.settle();
  const before = bench.told.length;

  bench.restart();
  await bench.advance(9_000);
  expect(bench.told).toHaveLength(before);
  await bench.advance(6_000);

  expect(bench.wordTo(alice)).toMatchObject({ complete: true, state: "stale", reason: "reader_stalled" });
});

test("revisions rise with every word, from what the hub says it has heard", () => {
  const bench = started();

  const first = bench.list.renew({ ...lease(alice), revision: 41 });
  const second = bench.list.renew(lease(alice));
  bench.restart();
  const third = bench.list.renew(lease(alice));

  expect([first.revision, second.revision, third.revision]).toEqual([42, 43, 44]);
});

test("the list checks while there are leases and rests otherwise", async () => {
  const bench = started();
  expect(bench.alarmAt).toBeNull();
  bench.list.renew(lease(alice));
  expect(bench.alarmAt).toBe(bench.now + 5_000);

  bench.list.release(lease(alice));
  await bench.advance(5_000);

  expect(bench.alarmAt).toBeNull();
});

test("an administrator sees sources, lag and numbers of watchers, and no creator", () => {
  const bench = started();
  bench.list.renew(lease(alice));
  bench.report(source(0), null, { state: "failing", lagRecords: 12, lagSeconds: 3, caughtUp: false });

  const status = bench.list.status();

  expect(status).toMatchObject({ watchers: 1, incomplete: 1, stale: 0 });
  expect(status.sources[0]).toMatchObject({
    source: source(0),
    expected: true,
    healthy: true,
    offset: 5,
    health: { state: "failing", lagRecords: 12 },
  });
  expect(JSON.stringify(status)).not.toContain(alice);
});
