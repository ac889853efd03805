import { expect, test } from "vitest";
import { HubBench, item, publish, source } from "./hub-bench.ts";

test("a hub without sockets takes no lease", async () => {
  const bench = new HubBench();

  bench.hub.publish(publish(0, 1, [item("a")]));
  await bench.advance(120_000);

  expect(bench.renewals).toEqual([]);
});

test("the first socket takes a lease, the last one gives it back, and the next one takes it under a new incarnation", async () => {
  const bench = new HubBench();

  const first = bench.connect();
  const second = bench.connect();
  await bench.settle();
  bench.leave(first);
  expect(bench.releases).toEqual([]);
  bench.leave(second);
  bench.connect();
  await bench.settle();

  const [before, after] = bench.renewals.map(({ hubIncarnation }) => hubIncarnation);
  expect(bench.releases.map(({ hubIncarnation }) => hubIncarnation)).toEqual([before]);
  expect(after).not.toBe(before);
});

test("a lease is renewed every minute and names the sources that the hub holds", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.hub.publish(publish(3, 1, [item("a")]));

  for (let minute = 0; minute < 3; minute += 1) {
    await bench.advance(60_000);
    socket.pingAt = bench.now;
  }

  expect(bench.renewals).toHaveLength(4);
  expect(bench.renewals.at(-1)?.sources).toEqual([source(3)]);
});

test("a clock that is set back does not put off the next renewal", async () => {
  const bench = new HubBench();
  bench.connect();
  await bench.settle();
  expect(bench.renewals).toHaveLength(1);

  bench.now -= 300_000;
  bench.hub.publish(publish(0, 1, [item("a")]));
  await bench.advance(60_000);

  expect(bench.renewals).toHaveLength(2);
});

test("a failed call is repeated after 1, 2, 4 s and so on, and the minute counts from the first success", async () => {
  const bench = new HubBench();
  bench.watchListDown = true;
  bench.connect();

  await bench.advance(7_500);
  expect(bench.renewals).toHaveLength(4);
  bench.watchListDown = false;
  await bench.advance(7_500);
  expect(bench.renewals).toHaveLength(5);
  await bench.advance(59_999);

  expect(bench.renewals).toHaveLength(5);
});

test("a hub that cannot reach the watch list says stale after a missed renewal, and live after the next answer", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  bench.tell({ complete: true });
  await bench.settle();
  bench.watchListDown = true;
  const states: (string | null)[] = [];

  for (let second = 0; second < 120; second += 10) {
    socket.pingAt = bench.now;
    await bench.advance(10_000);
    states.push(socket.state);
  }
  bench.watchListDown = false;
  bench.answer = { complete: true };
  await bench.advance(30_000);

  expect(states.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => "live"));
  expect(states.at(-1)).toBe("stale");
  expect(socket.state).toBe("live");
});

test("a word for an earlier incarnation, or older than the last one, is ignored", () => {
  const bench = new HubBench();
  const socket = bench.connect();

  bench.tell({ complete: true, revision: 5 });
  bench.tell({ complete: false, revision: 4 });
  bench.tell({ complete: true, state: "stale", reason: "reader_stalled", hubIncarnation: "h_1", revision: 6 });

  expect(socket.state).toBe("live");
});

test("a word without a revision, as an older watch list sends it, is taken", () => {
  const bench = new HubBench();
  const socket = bench.connect();
  const { hubIncarnation } = bench.renewals[0] ?? { hubIncarnation: "" };
  const word = { v: 1, creatorId: publish(0, 0, []).creatorId, hubIncarnation, asOf: null };

  bench.hub.sourcesChanged({ ...word, complete: true, state: "ok", reason: null });
  expect(socket.state).toBe("live");
  bench.hub.sourcesChanged({ ...word, complete: true, state: "stale", reason: "source_stopped" });

  expect(socket.of("status").at(-1)).toMatchObject({ state: "stale", reason: "source_stopped" });
});
