import { describe, expect, test } from "vitest";
import { PartitionLoop } from "../../../src/consumer/read/partition-loop.ts";
import { RareHandler } from "../../../src/consumer/read/rare-handler.ts";
import { FakeWorld } from "./fakes.ts";

const LIMITS = { ms: 1_000_000_000, records: 1_000_000, calls: 1_000_000 };

function startReader(world: FakeWorld, maxParked?: number): PartitionLoop {
  const ports = world.ports();
  const loop = new PartitionLoop(ports, (suspects) => new RareHandler(ports, "subscription", suspects, maxParked));
  void loop.run(LIMITS);
  return loop;
}

let number = 0;
const subscription = (world: FakeWorld, creatorId = "crt_1", at = world.time.now()) => ({
  eventId: `e${number++}`,
  creatorId,
  change: "subscribed",
  occurredAt: new Date(at).toISOString(),
});

/** Offsets that a creator's hub has taken, in the order in which it took them. */
const taken = (world: FakeWorld, creatorId: string) =>
  world.rare
    .filter((batch) => batch.creatorId === creatorId)
    .flatMap(({ events }) => events.map(({ offset }) => offset));

test("events go to their hubs watched or not, in order, and the position is stored when the hubs have them", async () => {
  const world = new FakeWorld();
  world.records.add(subscription(world), subscription(world, "crt_2"), subscription(world));
  startReader(world);
  await world.time.pass(1_000);
  expect(taken(world, "crt_1")).toEqual([0, 2]);
  expect(taken(world, "crt_2")).toEqual([1]);
  expect(world.storage.checkpoints[0]?.position.offset).toBe(3);
  expect(world.records.committed).toBe(3);
});

test("the first start reads from the earliest record, and does not announce what is older than a day", async () => {
  const world = new FakeWorld();
  world.storage.presentAtFirstStart = true;
  world.records.add(subscription(world, "crt_1", world.time.now() - 25 * 3_600_000), subscription(world));
  startReader(world);
  await world.time.pass(1_000);
  expect(world.rare.flatMap(({ events }) => events.map(({ broadcast }) => broadcast))).toEqual([false, true]);
});

test("a record that is no event is set aside with the position, and the others go on", async () => {
  const world = new FakeWorld();
  world.records.add("garbage", subscription(world));
  startReader(world);
  await world.time.pass(1_000);
  expect(taken(world, "crt_1")).toEqual([1]);
  expect(world.storage.deadLetters).toMatchObject([{ offset: 0, reason: "not_json" }]);
});

describe("a hub that fails", () => {
  test("has its events parked in order, holds up nobody, and gets them all when it is back", async () => {
    const world = new FakeWorld();
    world.failingHubs.add("crt_1");
    startReader(world);
    await world.time.pass(1_000);
    world.records.add(subscription(world), subscription(world, "crt_2"));
    await world.time.pass(500);
    world.records.add(subscription(world), subscription(world, "crt_2"), subscription(world));
    await world.time.pass(500);
    expect(taken(world, "crt_2")).toEqual([1, 3]);
    expect(world.storage.checkpoints[0]?.position.offset).toBe(5);
    expect(world.storage.parked.map(({ event }) => event.offset)).toEqual([0, 2, 4]);
    world.failingHubs.clear();
    await world.time.pass(10_000);
    expect(taken(world, "crt_1")).toEqual([0, 2, 4]);
    expect(world.storage.parked).toEqual([]);
    world.records.add(subscription(world));
    await world.time.pass(500);
    expect(taken(world, "crt_1")).toEqual([0, 2, 4, 5]);
  });

  test("gets no later event before its parked ones, though it is back already", async () => {
    const world = new FakeWorld();
    world.failingHubs.add("crt_1");
    world.records.add(subscription(world));
    startReader(world);
    await world.time.pass(500);
    world.failingHubs.clear();
    world.records.add(subscription(world));
    await world.time.pass(100);
    expect(taken(world, "crt_1")).toEqual([]);
    await world.time.pass(2_000);
    expect(taken(world, "crt_1")).toEqual([0, 1]);
  });

  test("that never answers is given up after a deadline", async () => {
    const world = new FakeWorld();
    world.silentHubs.add("crt_1");
    world.records.add(subscription(world), subscription(world, "crt_2"));
    startReader(world);
    await world.time.pass(6_000);
    expect(world.storage.checkpoints[0]?.position.offset).toBe(2);
    expect(world.storage.parked).toHaveLength(1);
  });

  test("keeps its parked events across a restart of the reader", async () => {
    const world = new FakeWorld();
    world.failingHubs.add("crt_1");
    world.records.add(subscription(world), subscription(world));
    const loop = startReader(world);
    await world.time.pass(2_000);
    loop.restart();
    world.failingHubs.clear();
    await world.time.pass(5_000);
    expect(taken(world, "crt_1")).toEqual([0, 1]);
    expect(world.storage.parked).toEqual([]);
  });

  test("stops the reader once more is parked than may be, until there is room again", async () => {
    const world = new FakeWorld();
    world.failingHubs.add("crt_1");
    world.storage.parked = Array.from({ length: 1_000 }, (_, offset) => ({
      creatorId: "crt_1" as never,
      epoch: 1,
      event: { kind: "subscription", offset, broadcast: false, event: subscription(world) as never },
    }));
    world.storage.checkpoints = [{ position: { topicId: "topic-1", epoch: 1, offset: 0 }, slices: [] }];
    world.records.add(subscription(world, "crt_2"));
    startReader(world, 1_000);
    await world.time.pass(10_000);
    expect(taken(world, "crt_2")).toEqual([]);
    world.failingHubs.clear();
    await world.time.pass(10_000);
    expect(taken(world, "crt_2")).toEqual([0]);
  });
});

test("a recreated topic is read from its beginning under a higher epoch", async () => {
  const world = new FakeWorld();
  world.records.add(subscription(world), subscription(world));
  startReader(world);
  await world.time.pass(1_000);
  world.records.records = [];
  world.records.topicId = "topic-2";
  world.records.add(subscription(world));
  await world.time.pass(15_000);
  const [first, last] = [world.rare[0], world.rare.at(-1)];
  expect(last?.events.map(({ offset }) => offset)).toEqual([0]);
  expect(last?.epoch).toBeGreaterThan(first?.epoch ?? 0);
});

test("records that hubs had already are counted as overlap", async () => {
  const world = new FakeWorld();
  world.records.add(subscription(world), subscription(world, "crt_2"));
  const loop = startReader(world);
  await world.time.pass(1_000);
  expect(loop.status().overlap).toBe(0);
  world.storage.checkpoints = [];
  loop.restart();
  await world.time.pass(5_000);
  expect(taken(world, "crt_1")).toEqual([0, 0]);
  expect(loop.status().overlap).toBe(2);
});

test("a position that was given up during a delivery is not stored any more", async () => {
  const world = new FakeWorld();
  const loop = startReader(world);
  await world.time.pass(1_000);
  const given = world.storage.checkpoints[0]?.position.epoch ?? 0;
  world.slowMs = 2_000;
  world.records.add(subscription(world));
  await world.time.pass(1_000);
  // As an operator's reset does.
  world.storage.checkpoints = [];
  loop.restart();
  await world.time.pass(10_000);
  expect(taken(world, "crt_1")).toEqual([0, 0]);
  expect(world.storage.checkpoints.map(({ position }) => position.epoch > given)).not.toContain(false);
  expect(world.storage.checkpoints[0]?.position.offset).toBe(1);
});
