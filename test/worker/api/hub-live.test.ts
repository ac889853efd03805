import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { CreatorId } from "../../../src/contract/ids.ts";
import { creatorHub, watchList } from "../../../src/creator-hub/stubs.ts";
import { engagement, errorOf, item, LiveClient, newCreator, publishOf, startReader } from "./hub-client.ts";

let reader: ReturnType<typeof startReader>;

beforeEach(async () => {
  await watchList(env).expect({ v: 1, sources: [engagement(0)] });
  reader = startReader();
});

afterEach(() => {
  reader.stop();
  vi.useRealTimers();
});

const hubOf = (creatorId: CreatorId) => creatorHub(env, creatorId);

/** Lets the clock jump, and the hub do what is due then. */
async function passTime(creatorId: CreatorId, ms: number): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  await runDurableObjectAlarm(hubOf(creatorId));
}

test("a socket gets welcome, then at once a snapshot that knows nothing, then what is published", async () => {
  const creatorId = newCreator();
  const client = await LiveClient.open(creatorId);

  const snapshot = await client.frame("snapshot");
  expect(client.frames.map(({ type }) => type)).toEqual(["welcome", "snapshot"]);
  expect(snapshot).toMatchObject({ state: "unavailable", reason: "starting", totals: { views: null }, content: [] });
  await hubOf(creatorId).publish(publishOf(creatorId, 7, [item("cnt_1", { views: 3 })]));

  expect(await client.frame("status")).toMatchObject({ state: "live", reason: null });
  expect(await client.frame("metrics")).toMatchObject({ totals: { views: 3 }, content: [{ contentId: "cnt_1" }] });
});

test("every open socket gets every change, and one that comes later the whole state", async () => {
  const creatorId = newCreator();
  const clients = await Promise.all(Array.from({ length: 20 }, () => LiveClient.open(creatorId)));
  await hubOf(creatorId).publish(publishOf(creatorId, 1, [item("cnt_1", { views: 1 })]));

  await hubOf(creatorId).publish(publishOf(creatorId, 2, [item("cnt_1", { views: 2 })]));

  for (const client of clients) {
    await client.frame("metrics", ({ totals }) => totals.views === 2);
  }
  const late = await LiveClient.open(creatorId);
  expect(await late.frame("snapshot")).toMatchObject({ state: "live", totals: { views: 2 } });
});

test("sockets outlive hibernation: the next change brings a new epoch with the same numbers", async () => {
  const creatorId = newCreator();
  // Two sockets at the same instant once kept a hub from hibernating for good (workerd issue 6862).
  const [client, other] = await Promise.all([LiveClient.open(creatorId), LiveClient.open(creatorId)]);
  await hubOf(creatorId).publish(publishOf(creatorId, 1, [item("cnt_1", { views: 41 })]));
  const before = await client.frame("metrics");
  await passTime(creatorId, 6_000);

  await evictDurableObject(hubOf(creatorId));
  await hubOf(creatorId).publish(publishOf(creatorId, 2, [item("cnt_1", { views: 42 })]));

  for (const socket of [client, other]) {
    const after = await socket.frame("snapshot", ({ epoch }) => epoch !== before.epoch);
    expect(after).toMatchObject({ seq: 1, state: "live", totals: { views: 42 } });
  }
  await hubOf(creatorId).publish(publishOf(creatorId, 3, [item("cnt_1", { views: 43 })]));
  await client.frame("metrics", ({ totals }) => totals.views === 43);
});

test("after a reset that cut its sockets a hub shows the last known numbers as stale, until readers have spoken", async () => {
  const creatorId = newCreator();
  const first = await LiveClient.open(creatorId);
  await hubOf(creatorId).publish(publishOf(creatorId, 9, [item("cnt_1", { views: 42 })]));
  await first.frame("metrics");
  await passTime(creatorId, 6_000);

  await evictDurableObject(hubOf(creatorId), { webSockets: "close" });
  const second = await LiveClient.open(creatorId);

  expect(await second.frame("snapshot")).toMatchObject({ state: "stale", reason: "starting", totals: { views: 42 } });
  await hubOf(creatorId).publish(publishOf(creatorId, 9, [item("cnt_1", { views: 42 })]));
  expect(await second.frame("status")).toMatchObject({ state: "live" });
});

test("a hub that is reset between a publish and its save gets the numbers again from the reader", async () => {
  const creatorId = newCreator();
  const client = await LiveClient.open(creatorId);
  await hubOf(creatorId).publish(publishOf(creatorId, 1, [item("cnt_1", { views: 10 })]));
  await client.frame("metrics");

  await evictDurableObject(hubOf(creatorId));
  const reply = await hubOf(creatorId).publish(publishOf(creatorId, 1, [item("cnt_1", { views: 10 })]));

  expect(reply.outcome).toBe("accepted");
  await client.frame("snapshot", ({ seq, totals, state }) => seq === 1 && totals.views === 10 && state === "live");
});

test("a thousand dropped connections all come back to the latest state", { timeout: 30_000 }, async () => {
  const creatorId = newCreator();
  const keeper = await LiveClient.open(creatorId);
  await hubOf(creatorId).publish(publishOf(creatorId, 1, [item("cnt_0", { views: 1 })]));
  await keeper.frame("metrics");

  for (let round = 1; round <= 20; round += 1) {
    await hubOf(creatorId).publish(publishOf(creatorId, round + 1, [item(`cnt_${round}`, { views: round + 1 })]));
    const clients = await Promise.all(Array.from({ length: 50 }, () => LiveClient.open(creatorId)));
    for (const client of clients) {
      await client.state(({ totals, content }) => totals.views === round + 1 && content.join() === `cnt_${round}`);
      client.socket.close(1_000);
    }
    const codes = await Promise.all(clients.map((client) => client.closeCode()));
    expect(codes.every((code) => code === 1_000)).toBe(true);
  }
});

test("a call that is malformed, or meant for another creator, is refused and harms nothing", async () => {
  const creatorId = newCreator();
  const client = await LiveClient.open(creatorId);
  const good = publishOf(creatorId, 1, [item("cnt_1", { views: 1 })]);

  expect(await errorOf(hubOf(creatorId).publish({ ...good, offset: -1 }))).toContain("offset");
  expect(await errorOf(hubOf(creatorId).publish({ ...good, creatorId: newCreator() }))).toContain("another creator");
  await hubOf(creatorId).publish(good);

  expect(await client.frame("metrics")).toMatchObject({ totals: { views: 1 } });
});
