import { expect, test } from "vitest";
import { closeCodes } from "../../../src/contract/live-frames.ts";
import { HubBench, item, publish, START } from "./hub-bench.ts";

test("a socket is closed with 4401 when its token expires, and the others stay", async () => {
  const bench = new HubBench();
  const brief = bench.connect({ expiresAt: START + 30_000 });
  const lasting = bench.connect();

  await bench.advance(29_999);
  expect(brief.closed).toBeNull();
  await bench.advance(1);

  expect([brief.closed, lasting.closed]).toEqual([closeCodes.tokenExpired, null]);
});

test("a token's expiry outlives an eviction", async () => {
  const bench = new HubBench();
  const socket = bench.connect({ expiresAt: START + 30_000 });

  bench.evict();
  await bench.advance(30_000);

  expect(socket.closed).toBe(closeCodes.tokenExpired);
});

test("a socket that pings stays, and one that is silent is closed with 4408", async () => {
  const bench = new HubBench();
  const silent = bench.connect();
  const alive = bench.connect();

  for (let minute = 0; minute < 3; minute += 1) {
    alive.pingAt = bench.now;
    await bench.advance(60_000);
  }

  expect([silent.closed, alive.closed]).toEqual([closeCodes.idle, null]);
});

test.each([
  ["text"],
  ['{"type":"subscribe"}'],
  ['{"type":"receipt"}'],
  ['{"type":"receipt","characters":-1}'],
  ['{"type":"receipt","characters":1,"more":1}'],
  [`{"type":"receipt","characters":1}${" ".repeat(100)}`],
  [""],
  ["ping "],
  ["x".repeat(100_000)],
  [new ArrayBuffer(4)],
])("anything but ping and receipts closes the socket with 4400 (%#)", (message) => {
  const bench = new HubBench();
  const socket = bench.connect();

  bench.hub.receive(socket, message);

  expect(socket.closed).toBe(closeCodes.badMessage);
  expect(bench.releases).toHaveLength(1);
});

/** As a busy creator's hub: `count` changes, each told by some 8,000 characters. */
function tellMuch(bench: HubBench, from: number, count: number): Promise<void> {
  return Array.from({ length: count }, (_, at) => from + at).reduce(async (before, turn) => {
    await before;
    const items = Array.from({ length: 25 }, (_, at) => item(`item_${at}_${"x".repeat(100)}`, { views: turn }));
    bench.hub.publish(publish(0, turn, items));
    await bench.advance(250);
  }, Promise.resolve());
}

test("a socket that leaves more than a mebibyte unread is closed with 1013, and one that confirms stays", async () => {
  const bench = new HubBench();
  const silent = bench.connect();
  const reading = bench.connect();
  bench.tell({ complete: true });

  for (let turn = 1; silent.closed === null && turn < 400; turn += 10) {
    await tellMuch(bench, turn, 10);
    bench.hub.receive(reading, JSON.stringify({ type: "receipt", characters: reading.characters }));
  }
  expect([silent.closed, reading.closed]).toEqual([closeCodes.tryLater, null]);
  expect(silent.characters).toBeGreaterThan(1_048_576);
  expect(silent.characters).toBeLessThan(1_048_576 + 20_000);
  await tellMuch(bench, 1_000, 1);
  expect(reading.totals?.views).toBe(25_000);
});

test("a receipt for what was read before the hub was evicted confirms only that", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });
  await tellMuch(bench, 1, 100);
  const readBefore = socket.characters;

  bench.evict();
  bench.tell({ complete: true });
  bench.hub.receive(socket, JSON.stringify({ type: "receipt", characters: readBefore }));
  for (let turn = 101; socket.closed === null && turn < 500; turn += 1) {
    await tellMuch(bench, turn, 1);
  }

  expect(socket.closed).toBe(closeCodes.tryLater);
  expect(socket.characters - readBefore).toBeGreaterThan(1_048_576);
});

test("a socket whose client vanished without a word takes no further part", async () => {
  const bench = new HubBench();
  const gone = bench.connect();
  const there = bench.connect();
  bench.tell({ complete: true });
  gone.closed = 1_006;

  bench.hub.publish(publish(0, 1, [item("a", { views: 1 })]));
  there.pingAt = bench.now;
  await bench.advance(60_000);
  bench.leave(there);

  expect(there.totals?.views).toBe(1);
  expect(bench.releases).toHaveLength(1);
});

test("room is there for the configured number of sockets, and again when one has left", () => {
  const bench = new HubBench();
  const sockets = Array.from({ length: 100 }, () => bench.connect());
  expect(bench.hub.hasRoom()).toBe(false);

  bench.leave(sockets[0] ?? bench.connect());

  expect(bench.hub.hasRoom()).toBe(true);
});

test("connection ids stay unique after an eviction", () => {
  const bench = new HubBench();
  bench.connect();
  bench.connect();

  bench.evict();
  bench.connect();

  expect(bench.sockets.map(({ info }) => info.connectionId)).toEqual(["c_1", "c_2", "c_3"]);
});

test("many sockets that come between two frames all get the state that the next change applies to", async () => {
  const bench = new HubBench();
  bench.connect();
  bench.tell({ complete: true });
  await bench.advance(1_000);

  for (let turn = 1; turn <= 50; turn += 1) {
    bench.hub.publish(publish(0, turn, [item(`item_${turn % 3}`, { views: turn })]));
    bench.connect();
    await bench.advance(20);
  }
  await bench.advance(250);

  for (const socket of bench.sockets) {
    expect([socket.totals?.views, [...socket.items.keys()]]).toEqual([50, ["item_2"]]);
  }
});

test("the alarm is earlier where a token expires before the lease is due", async () => {
  const bench = new HubBench();
  bench.connect();
  await bench.settle();
  bench.connect({ expiresAt: START + 1_000 });

  expect(bench.alarmsSet.at(-1)).toBe(START + 1_000);
});
