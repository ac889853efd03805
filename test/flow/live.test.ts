// One event's way through the whole product: REST client, bridge, consumer Worker, hub, socket.
import { afterAll, beforeAll, expect, test } from "vitest";
import { defaultTopics } from "../../src/contract/events.ts";
import { DashboardSocket } from "./dashboard-socket.ts";
import { expectedTotals, play, produce, randomOf } from "./events.ts";
import { API, type Product, startProduct } from "./product.ts";

let product: Product;
beforeAll(async () => {
  product = await startProduct();
  await product.supervise();
});
afterAll(() => product.stop());

const open = async (creatorId: string) => new DashboardSocket(product.apiUrl, await product.token(creatorId));

test("a socket gets a welcome, then a snapshot, then exactly the totals of what was produced", async () => {
  const creatorId = "crt_flow_plain";
  const played = play({ creatorId, sessions: 40, items: 3, now: Date.now(), random: randomOf(1) });
  const socket = await open(creatorId);
  await socket.live();

  await produce(
    product,
    defaultTopics.engagement,
    creatorId,
    played.map((event) => JSON.stringify(event)),
  );

  const expected = expectedTotals(played);
  await socket.until(
    "every total",
    ({ totals }) => totals?.watchSeconds === expected.watchSeconds && totals.views === expected.views,
  );
  expect(socket.totals).toMatchObject(expected);
  expect(socket.frames.slice(0, 2).map(({ type }) => type)).toEqual(["welcome", "snapshot"]);
  socket.close();
});

const restartAllReaders = () =>
  Promise.all([0, 1].map((partition) => product.restartReader(`${defaultTopics.engagement}:${partition}`)));

test.each([
  ["", "crt_flow_late", async () => []],
  [", also while all readers restart", "crt_flow_restart", restartAllReaders],
])("what was produced before anyone watched is in the first live numbers%s", async (_when, creatorId, meanwhile) => {
  const played = play({ creatorId, sessions: 25, items: 2, now: Date.now(), random: randomOf(2) });
  await produce(
    product,
    defaultTopics.engagement,
    creatorId,
    played.map((event) => JSON.stringify(event)),
  );

  await meanwhile();
  const socket = await open(creatorId);

  const expected = expectedTotals(played);
  await socket.until(
    "every total",
    ({ totals, state }) => state === "live" && totals?.watchSeconds === expected.watchSeconds,
  );
  expect(socket.totals).toMatchObject(expected);
  socket.close();
});

test("duplicated events and garbage between them change nothing", async () => {
  const creatorId = "crt_flow_noise";
  const random = randomOf(3);
  const played = play({ creatorId, sessions: 60, items: 4, now: Date.now(), random });
  const values = played.flatMap((event) => {
    const value = JSON.stringify(event);
    const garbage = [
      "",
      "not json",
      "[]",
      "{}",
      JSON.stringify({ ...event, type: 7 }),
      JSON.stringify({ ...event, type: "view.teleported" }),
    ];
    return [
      value,
      ...(random() < 0.3 ? [value] : []),
      ...(random() < 0.3 ? [garbage[Math.floor(random() * garbage.length)] ?? ""] : []),
    ];
  });
  const socket = await open(creatorId);
  await socket.live();

  await produce(product, defaultTopics.engagement, creatorId, values);
  await produce(product, defaultTopics.engagement, creatorId, values.slice(0, 50));
  const marker = play({ creatorId, sessions: 1, items: 1, now: Date.now(), random, prefix: "last-" });
  await produce(
    product,
    defaultTopics.engagement,
    creatorId,
    marker.map((event) => JSON.stringify(event)),
  );

  const expected = expectedTotals([...played, ...marker]);
  await socket.until(
    "every total",
    ({ totals }) => totals?.watchSeconds === expected.watchSeconds && totals.views === expected.views,
  );
  expect(socket.totals).toMatchObject(expected);
  socket.close();
});

test("the totals are exact though hub and readers are evicted at random instants while events flow", async () => {
  const seed = Number(process.env["FLOW_SEED"] ?? Date.now() % 1_000_000);
  console.log(`evictions: FLOW_SEED=${seed}`);
  const random = randomOf(seed);
  const creatorId = `crt_flow_evict_${seed}`;
  const played = play({ creatorId, sessions: 300, items: 5, now: Date.now(), random });
  const socket = await open(creatorId);
  await socket.live();
  const api = product.harness.getWorker(API);

  for (let at = 0; at < played.length;) {
    const count = 1 + Math.floor(random() * 60);
    await produce(
      product,
      defaultTopics.engagement,
      creatorId,
      played.slice(at, at + count).map((event) => JSON.stringify(event)),
    );
    at += count;
    if (random() < 0.5) {
      const partition = Math.floor(random() * 2);
      await product.restartReader(`${defaultTopics.engagement}:${partition}`);
    }
    if (random() < 0.4) {
      const webSockets = "hibernate";
      await api.evictDurableObject("CREATOR_HUB", { name: `creator:${creatorId}:0`, webSockets }).catch(ifRunning);
    }
    await product.supervise();
  }

  const expected = expectedTotals(played);
  await socket.until(
    "every total",
    ({ totals, state }) =>
      state === "live" && totals?.watchSeconds === expected.watchSeconds && totals.views === expected.views,
  );
  expect(socket.totals).toMatchObject(expected);
  socket.close();
});

/** Only a running object can be evicted; one that is not has nothing to lose. */
function ifRunning(error: unknown): void {
  if (!/not (currently )?running/i.test(String(error))) {
    throw error;
  }
}
