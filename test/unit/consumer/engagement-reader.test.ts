import { describe, expect, test } from "vitest";
import { sleep } from "../../../src/runtime/deadline.ts";
import type { ReaderPorts } from "../../../src/consumer/ports.ts";
import { EngagementHandler } from "../../../src/consumer/read/engagement-handler.ts";
import { PartitionLoop } from "../../../src/consumer/read/partition-loop.ts";
import { FakeWorld } from "./fakes.ts";

/** Much less than a real run's, and no end of it in sight for a test. */
const LIMITS = { ms: 1_000_000_000, records: 1_000_000, calls: 1_000_000 };

function startReader(world: FakeWorld): PartitionLoop {
  const ports = world.ports();
  const loop = new PartitionLoop(ports, (suspects, view) => new EngagementHandler(ports, suspects, view));
  void loop.run(LIMITS);
  return loop;
}

/** A reader that dies: it calls nothing any more, and what it had in memory is gone. */
function kill(loop: PartitionLoop): void {
  loop.restart();
}

let number = 0;
const event = (world: FakeWorld, change: object = {}) => ({
  eventId: `e${number++}`,
  type: "view.started",
  creatorId: "crt_1",
  contentId: "cnt_1",
  sessionId: `s${number}`,
  occurredAt: new Date(world.time.now()).toISOString(),
  ...change,
});

const live = (world: FakeWorld) => event(world, { isLive: true, sessionId: "s", type: "view.heartbeat" });

const last = (world: FakeWorld, creatorId = "crt_1") =>
  world.published.findLast((each) => each.creatorId === creatorId);

describe("where it begins", () => {
  test("a deployment's first start reads from one hour ago", async () => {
    const world = new FakeWorld();
    world.storage.presentAtFirstStart = true;
    world.records.add(event(world));
    await world.time.pass(3_700_000);
    world.records.add(event(world), event(world));
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(1_000);
    expect(last(world)?.totals.views).toBe(2);
  });

  test("a partition that appears later is read from its earliest record", async () => {
    const world = new FakeWorld();
    world.records.add(event(world));
    await world.time.pass(3_700_000);
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(1_000);
    expect(last(world)?.totals.views).toBe(1);
  });

  test("a restarted reader goes on from its checkpoint under the same epoch, with the same numbers", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    world.records.add(event(world), event(world));
    const first = startReader(world);
    await world.time.pass(15_000);
    const before = last(world);
    expect(world.storage.checkpoints[0]?.position.offset).toBe(2);
    world.records.add(event(world));
    await world.time.pass(500);
    kill(first);
    await world.time.pass(3_000);
    expect(last(world)).toMatchObject({ epoch: before?.epoch, offset: 3, totals: { views: 3 } });
  });

  test("a damaged checkpoint falls back to the one before it", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    world.records.add(event(world));
    const first = startReader(world);
    await world.time.pass(15_000);
    world.records.add(event(world));
    await world.time.pass(15_000);
    const [newest, older] = world.storage.checkpoints;
    expect([newest?.position.offset, older?.position.offset]).toEqual([2, 1]);
    world.storage.checkpoints = world.storage.checkpoints.map((each, i) =>
      i === 0 ? { ...each, slices: [new Uint8Array([1, 2, 3])] } : each,
    );
    kill(first);
    await world.time.pass(3_000);
    expect(last(world)).toMatchObject({ epoch: newest?.position.epoch, totals: { views: 2 } });
  });

  test("with no readable checkpoint the state is rebuilt under a higher epoch, and watchers get it", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    world.records.add(event(world));
    const first = startReader(world);
    await world.time.pass(15_000);
    const before = last(world)?.epoch ?? 0;
    world.storage.checkpoints = world.storage.checkpoints.map((each) => ({ ...each, slices: [new Uint8Array(9)] }));
    kill(first);
    await world.time.pass(3_000);
    expect(last(world)?.epoch).toBeGreaterThan(before);
    expect(last(world)?.totals.views).toBe(1);
  });
});

/** What a reset does, to a reader that may be in the middle of something. */
function reset(world: FakeWorld, loop: PartitionLoop): void {
  world.storage.checkpoints = [];
  world.storage.stopped = null;
  loop.restart();
}

describe("an operator's reset", () => {
  test("is not undone by a reader that was just taking up what was stored", async () => {
    const world = new FakeWorld();
    world.records.add(event(world));
    const ports: ReaderPorts = {
      ...world.ports(),
      compressor: {
        compress: async (bytes) => bytes.slice(),
        decompress: async (bytes) => {
          await sleep(world.time, 5_000);
          return bytes.slice();
        },
      },
    };
    const loop = new PartitionLoop(ports, (suspects, view) => new EngagementHandler(ports, suspects, view));
    void loop.run(LIMITS);
    await world.time.pass(15_000);
    const before = world.storage.checkpoints[0]?.position.epoch ?? Infinity;
    kill(loop);
    await world.time.pass(4_000);
    reset(world, loop);
    await world.time.pass(20_000);
    expect(loop.status().epoch).toBeGreaterThan(before);
    expect(world.storage.checkpoints.map(({ position }) => position.epoch > before)).not.toContain(false);
  });

  test("is not undone by a reader that was just about to stop", async () => {
    const world = new FakeWorld();
    world.records.add(event(world), event(world));
    const loop = startReader(world);
    await world.time.pass(15_000);
    world.records.records = world.records.records.slice(0, 1);
    const bounds = world.records.bounds.bind(world.records);
    let probes = 0;
    world.records.bounds = async () => {
      probes++;
      if (probes === 3) {
        reset(world, loop);
      }
      return bounds();
    };
    await world.time.pass(40_000);
    expect(probes).toBeGreaterThanOrEqual(3);
    expect(loop.health.state).toBe("ok");
    expect(loop.status().offset).toBe(1);
  });
});

describe("what may become of the topic", () => {
  test("a recreated topic is read from its beginning under a higher epoch, and old numbers are replaced", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    world.watch("crt_2");
    world.records.add(event(world), event(world, { creatorId: "crt_2" }));
    startReader(world);
    await world.time.pass(3_000);
    const before = last(world)?.epoch ?? 0;
    world.records.records = [];
    world.records.topicId = "topic-2";
    world.records.add(event(world));
    await world.time.pass(30_000);
    expect(last(world)?.epoch).toBeGreaterThan(before);
    expect(last(world)?.totals.views).toBe(1);
    expect(last(world, "crt_2")?.totals).toMatchObject({ views: 0, items: 0 });
  });

  test("records lost to retention are recorded as a gap, and counting begins again with a later since", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    world.records.add(event(world));
    const first = startReader(world);
    await world.time.pass(15_000);
    kill(first);
    world.records.isDown = true;
    await world.time.pass(5_000);
    world.records.add(event(world), event(world), event(world));
    world.records.earliest = 3;
    world.records.isDown = false;
    await world.time.pass(30_000);
    expect(world.storage.gaps).toMatchObject([{ from: 1, to: 3 }]);
    expect(last(world)?.totals.views).toBe(1);
    expect(last(world)?.items[0]?.since).toBe(world.records.records[3]?.timestamp);
  });

  test("a log that ends before the cursor stops the reader for good, and says so", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    world.records.add(event(world), event(world));
    const loop = startReader(world);
    await world.time.pass(15_000);
    world.records.records = world.records.records.slice(0, 1);
    await world.time.pass(40_000);
    expect(loop.health).toMatchObject({ state: "stopped" });
    world.records.add(event(world), event(world), event(world));
    kill(loop);
    await world.time.pass(10_000);
    expect(loop.health.state).toBe("stopped");
    expect(last(world)?.totals.views).toBe(2);
  });
});

describe("outages", () => {
  test("while the bridge is down viewers stay, the reader says it fails, and afterwards nothing is missing", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    world.records.add(event(world));
    const loop = startReader(world);
    await world.time.pass(5_000);
    world.records.isDown = true;
    await world.time.pass(60_000);
    expect(loop.health).toMatchObject({ state: "failing", caughtUp: false });
    expect(last(world)?.totals.liveViewers).toBe(1);
    world.records.add(event(world));
    world.records.isDown = false;
    await world.time.pass(6_000);
    expect(loop.health.state).toBe("ok");
    expect(last(world)?.totals).toMatchObject({ views: 2 });
  });

  test("a call of the stock client that hangs is abandoned, never doubled, and does not hold up reading", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(1_000);
    world.records.hangs = true;
    await world.time.pass(8_000);
    world.records.add(event(world));
    await world.time.pass(1_000);
    expect(last(world)?.totals.views).toBe(1);
    expect(world.records.fetches.at(-1)?.how).toBe("once");
    world.records.hangs = false;
    await world.time.pass(30_000);
    expect(world.records.fetches.at(-1)?.how).toBe("client");
    expect(world.records.mostOutstanding).toBe(1);
  });

  test("a commit that fails loses nothing: dead letters come with the next one", async () => {
    const world = new FakeWorld();
    startReader(world);
    await world.time.pass(1_000);
    world.storage.fails = true;
    world.records.add("garbage");
    await world.time.pass(15_000);
    expect(world.storage.deadLetters).toEqual([]);
    world.storage.fails = false;
    await world.time.pass(15_000);
    expect(world.storage.deadLetters).toMatchObject([{ offset: 0, reason: "not_json" }]);
    expect(world.storage.checkpoints[0]?.position.offset).toBe(1);
  });
});

describe("what it publishes", () => {
  test("only watched creators are called", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(4_000_000);
    world.published.length = 0;
    world.records.add(event(world), event(world, { creatorId: "crt_2" }));
    await world.time.pass(2_000);
    expect(new Set(world.published.map(({ creatorId }) => creatorId))).toEqual(new Set(["crt_1"]));
  });

  test("the first change goes out at once, then every 250 ms, and the last one is never left out", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(4_000_000);
    world.published.length = 0;
    const startedAt = world.time.now();
    for (let i = 0; i < 100; i++) {
      world.records.add(event(world));
      await world.time.pass(10);
    }
    await world.time.pass(300);
    const times = world.published.map(({ sentAt }) => sentAt - startedAt);
    expect(times[0]).toBeLessThanOrEqual(10);
    expect(times.length).toBeLessThanOrEqual(6);
    expect(times.slice(1).every((at, i) => at - (times[i] ?? 0) >= 250)).toBe(true);
    expect(last(world)?.totals.views).toBe(100);
  });

  test("a hub that asks for a longer interval gets it", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    world.intervalMs = 1_000;
    startReader(world);
    await world.time.pass(4_000_000);
    world.published.length = 0;
    for (let i = 0; i < 200; i++) {
      world.records.add(event(world));
      await world.time.pass(10);
    }
    expect(world.published.length).toBeLessThanOrEqual(3);
  });

  test("a hub that fails, and one that never answers, hold up nobody, and get the state when they are back", async () => {
    const world = new FakeWorld();
    ["crt_1", "crt_2", "crt_3"].forEach((creatorId) => world.watch(creatorId));
    world.failingHubs.add("crt_1");
    world.silentHubs.add("crt_2");
    startReader(world);
    await world.time.pass(1_000);
    world.records.add(...["crt_1", "crt_2", "crt_3"].map((creatorId) => event(world, { creatorId })));
    await world.time.pass(1_000);
    expect(last(world, "crt_3")?.totals.views).toBe(1);
    world.published.length = 0;
    world.failingHubs.clear();
    world.silentHubs.clear();
    await world.time.pass(30_000);
    expect(last(world, "crt_1")?.totals.views).toBe(1);
    expect(last(world, "crt_2")?.totals.views).toBe(1);
  });

  test("a slow hub has one call in flight at most, and the newest state at the end", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(4_000_000);
    world.slowMs = 900;
    world.published.length = 0;
    for (let i = 0; i < 300; i++) {
      world.records.add(event(world));
      await world.time.pass(10);
    }
    await world.time.pass(3_000);
    const times = world.published.map(({ sentAt }) => sentAt);
    expect(times.slice(1).every((at, i) => at - (times[i] ?? 0) >= 900)).toBe(true);
    expect(last(world)?.totals.views).toBe(300);
  });

  test("viewers expire by wall time once the reader has caught up", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(1_000);
    world.records.add(event(world));
    await world.time.pass(44_000);
    expect(last(world)?.totals.liveViewers).toBe(1);
    await world.time.pass(3_000);
    expect(last(world)).toMatchObject({ caughtUp: true, totals: { liveViewers: 0, views: 1 } });
  });

  test("who began to watch the dashboard during an outage sees afterwards who has gone meanwhile", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(1_000);
    world.records.add(live(world));
    await world.time.pass(125_000);
    expect(last(world)).toMatchObject({ totals: { liveViewers: 0 }, items: [{ isLive: false }] });
    world.records.isDown = true;
    await world.time.pass(15_000);
    world.watch("crt_1", "h2");
    await world.time.pass(2_000);
    expect(last(world)).toMatchObject({ caughtUp: false, totals: { liveViewers: 1 }, items: [{ isLive: true }] });
    world.records.isDown = false;
    await world.time.pass(10_000);
    expect(last(world)).toMatchObject({
      caughtUp: true,
      totals: { liveViewers: 0 },
      items: [{ liveViewers: 0, isLive: false }],
    });
  });

  test("a reader behind what the hub holds stays dirty, and publishes as soon as it has passed", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    world.records.add(event(world));
    const loop = startReader(world);
    await world.time.pass(15_000);
    const epoch = last(world)?.epoch ?? 0;
    world.outcome = "behind";
    world.held = { epoch, offset: 3 };
    kill(loop);
    await world.time.pass(2_000);
    world.published.length = 0;
    world.records.add(event(world));
    await world.time.pass(1_000);
    expect(world.published).toEqual([]);
    world.outcome = "accepted";
    world.records.add(event(world));
    await world.time.pass(200);
    expect(last(world)).toMatchObject({ offset: 3, totals: { views: 3 } });
  });
});

describe("the watch list", () => {
  test("is asked at least every second, also while the bridge is down or hangs", async () => {
    const world = new FakeWorld();
    startReader(world);
    await world.time.pass(5_000);
    world.records.isDown = true;
    const before = world.reports.length;
    await world.time.pass(10_000);
    expect(world.reports.length - before).toBeGreaterThanOrEqual(10);
  });

  test("hears that a version is served only after its watchers' hubs have answered", async () => {
    const world = new FakeWorld();
    world.records.add(event(world));
    startReader(world);
    await world.time.pass(3_000);
    world.silentHubs.add("crt_1");
    world.watch("crt_1");
    await world.time.pass(2_000);
    expect(world.reports.at(-1)?.served?.number).toBe(0);
    world.silentHubs.clear();
    await world.time.pass(10_000);
    expect(world.reports.at(-1)?.served?.number).toBe(1);
  });

  test("hears at once that a version is served when there is nothing to publish", async () => {
    const world = new FakeWorld();
    startReader(world);
    await world.time.pass(4_000_000);
    world.watch("crt_1");
    await world.time.pass(520);
    expect(world.reports.at(-1)?.served?.number).toBe(1);
    expect(world.published).toEqual([]);
  });

  test("is told which hubs fail, and a failing hub does not keep a version from being served", async () => {
    const world = new FakeWorld();
    world.records.add(event(world));
    world.failingHubs.add("crt_1");
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(5_000);
    expect(world.reports.at(-1)).toMatchObject({ served: { number: 1 }, unserved: ["crt_1"] });
  });

  test("is told which hubs hold something newer, and such a hub does not keep a version from being served", async () => {
    const world = new FakeWorld();
    world.records.add(event(world));
    world.held = { epoch: world.time.now() + 1_000, offset: 9 };
    world.aheadHubs.add("crt_1");
    world.watch("crt_1");
    world.watch("crt_2");
    startReader(world);
    await world.time.pass(1_000);
    expect(world.reports.at(-1)).toMatchObject({ served: { number: 2 }, unserved: ["crt_1"] });
    world.aheadHubs.clear();
    await world.time.pass(6_000);
    expect(world.reports.at(-1)).toMatchObject({ served: { number: 2 }, unserved: [] });
  });

  test("hears of no version as served while more hubs fail than can be named", async () => {
    const world = new FakeWorld();
    for (let i = 0; i < 1_001; i++) {
      world.watch(`crt_${i}`);
      world.failingHubs.add(`crt_${i}`);
    }
    startReader(world);
    await world.time.pass(10_000);
    expect(world.reports.at(-1)?.unserved).toHaveLength(1_000);
    expect(world.reports.at(-1)?.served).toBeNull();
    world.failingHubs.delete("crt_1000");
    await world.time.pass(20_000);
    expect(world.reports.at(-1)?.unserved).toHaveLength(1_000);
    expect(world.reports.at(-1)?.served).toMatchObject({ number: 1_001 });
  });

  test("what an earlier incarnation of a hub answers does not delay the new one", async () => {
    const world = new FakeWorld();
    world.records.add(event(world));
    world.held = { epoch: world.time.now() + 1_000, offset: 9 };
    world.aheadHubs.add("crt_1");
    world.slowMs = 900;
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(100);
    world.watch("crt_1", "h2");
    await world.time.pass(1_000);
    expect(world.published).toHaveLength(2);
  });

  test("a new incarnation of a hub gets the whole state again", async () => {
    const world = new FakeWorld();
    world.records.add(event(world));
    world.watch("crt_1");
    startReader(world);
    await world.time.pass(60_000);
    world.published.length = 0;
    world.watch("crt_1", "h2");
    await world.time.pass(1_000);
    expect(last(world)?.totals.views).toBe(1);
  });
});

describe("streams", () => {
  test("a share goes to the hub unwatched, when the log or, caught up, the clock says the stream has ended", async () => {
    const world = new FakeWorld();
    startReader(world);
    await world.time.pass(1_000);
    world.records.add(live(world));
    await world.time.pass(119_000);
    expect(world.shares).toEqual([]);
    await world.time.pass(3_000);
    expect(world.shares).toMatchObject([{ contentId: "cnt_1", peakViewers: 1, uniqueSessions: 1 }]);
    world.records.add(event(world, { creatorId: "crt_2" }));
    await world.time.pass(5_000);
    expect(world.shares).toHaveLength(1);
  });

  test("a share is repeated until the hub has it, also across a restart", async () => {
    const world = new FakeWorld();
    world.failingHubs.add("crt_1");
    const loop = startReader(world);
    await world.time.pass(1_000);
    world.records.add(live(world));
    await world.time.pass(130_000);
    world.records.add(event(world, { creatorId: "crt_2" }));
    await world.time.pass(15_000);
    kill(loop);
    await world.time.pass(5_000);
    expect(world.shares).toEqual([]);
    world.failingHubs.clear();
    await world.time.pass(70_000);
    expect(world.shares).toMatchObject([{ contentId: "cnt_1" }]);
  });
});

/** A topic that is recreated while its only stream is open, and read on until that stream's share is due. */
async function recreateDuringStream(world: FakeWorld): Promise<{ loop: PartitionLoop; epoch: number }> {
  const loop = startReader(world);
  await world.time.pass(1_000);
  world.records.add(live(world), event(world, { type: "like.added" }));
  await world.time.pass(12_000);
  const epoch = world.storage.checkpoints[0]?.position.epoch ?? 0;
  world.records.records = [];
  world.records.topicId = "topic-2";
  await world.time.pass(20_000);
  return { loop, epoch };
}

describe("a stream that is open when its topic is recreated", () => {
  test("is reported as far as it was counted, under the epoch that it was counted in", async () => {
    const world = new FakeWorld();
    const { epoch } = await recreateDuringStream(world);
    expect(world.storage.checkpoints[0]?.position.epoch).toBeGreaterThan(epoch);
    expect(world.shares).toMatchObject([{ contentId: "cnt_1", epoch, peakViewers: 1, likes: 1 }]);
    world.records.add(live(world));
    await world.time.pass(130_000);
    expect(world.shares).toHaveLength(2);
    expect(world.shares[1]?.epoch).toBe(world.storage.checkpoints[0]?.position.epoch);
  });

  test("is reported after a restart, too, when its hub failed before", async () => {
    const world = new FakeWorld();
    world.failingHubs.add("crt_1");
    const { loop, epoch } = await recreateDuringStream(world);
    kill(loop);
    await world.time.pass(5_000);
    expect(world.shares).toEqual([]);
    world.failingHubs.clear();
    await world.time.pass(70_000);
    expect(world.shares).toMatchObject([{ contentId: "cnt_1", epoch, likes: 1 }]);
  });

  test("is reported at a gap as well", async () => {
    const world = new FakeWorld();
    const first = startReader(world);
    await world.time.pass(1_000);
    world.records.add(live(world));
    await world.time.pass(12_000);
    const epoch = world.storage.checkpoints[0]?.position.epoch ?? 0;
    kill(first);
    world.records.isDown = true;
    await world.time.pass(5_000);
    world.records.add(event(world), event(world));
    world.records.earliest = 2;
    world.records.isDown = false;
    await world.time.pass(20_000);
    expect(world.storage.gaps).toHaveLength(1);
    expect(world.shares).toMatchObject([{ contentId: "cnt_1", epoch }]);
  });
});

describe("a record that kills the reader", () => {
  test("is found and set aside, and everything else is counted", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    const ports = world.ports();
    const poison = 37;
    const loop = new PartitionLoop(ports, (suspects, view) => {
      const handler = new EngagementHandler(ports, suspects, view);
      const take = handler.take.bind(handler);
      handler.take = async (portion) => {
        if (!portion.isCulprit && portion.records.some(({ offset }) => offset === poison)) {
          throw new Error("out of memory");
        }
        await take(portion);
      };
      return handler;
    });
    for (let i = 0; i < 60; i++) {
      world.records.add(event(world));
    }
    void loop.run(LIMITS);
    await world.time.pass(60_000);
    expect(world.storage.deadLetters).toMatchObject([{ offset: poison, reason: "kills_reader" }]);
    expect(last(world)?.totals.views).toBe(59);
    expect(world.storage.suspected).toBeNull();
  });

  test("is not looked for because a reader is restarted now and then", async () => {
    const world = new FakeWorld();
    world.watch("crt_1");
    const loop = startReader(world);
    for (let i = 0; i < 40; i++) {
      world.records.add(event(world), event(world));
      await world.time.pass(i * 7);
      kill(loop);
    }
    await world.time.pass(20_000);
    expect(world.storage.deadLetters).toEqual([]);
    expect(last(world)?.totals.views).toBe(80);
  });
});
