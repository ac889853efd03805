import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { creatorHub, watchList } from "../../../src/creator-hub/stubs.ts";
import { engagement, errorOf, item, LiveClient, newCreator, publishOf, report, startReader } from "./hub-client.ts";

beforeEach(async () => {
  await watchList(env).expect({ v: 1, sources: [engagement(0)] });
});

afterEach(() => {
  vi.useRealTimers();
});

test("an open dashboard is on the list and a closed one is not", async () => {
  const creatorId = newCreator();
  const client = await LiveClient.open(creatorId);

  await vi.waitFor(async () => {
    const { watchers } = await report(null);
    expect(watchers).toContainEqual({ creatorId, hubIncarnation: expect.stringMatching(/^h_/) });
  });
  const { version } = await report(null);
  client.socket.close(1_000);

  await vi.waitFor(async () => expect((await report(version)).left).toContain(creatorId));
});

test("leases outlive an eviction of the list, and readers get the whole list then", async () => {
  const creatorId = newCreator();
  await LiveClient.open(creatorId);
  await vi.waitFor(async () => expect(JSON.stringify(await report(null))).toContain(creatorId));
  const { version } = await report(null);

  await evictDurableObject(watchList(env));

  expect(await report(version)).toMatchObject({ whole: true });
  expect(JSON.stringify(await report(version))).toContain(creatorId);
});

test("a hub evicted with sockets takes its lease under a new incarnation, which readers are told of", async () => {
  const creatorId = newCreator();
  const client = await LiveClient.open(creatorId);
  await client.frame("snapshot");
  const { version } = await report(null);

  await evictDurableObject(creatorHub(env, creatorId));
  await runDurableObjectAlarm(creatorHub(env, creatorId));

  await vi.waitFor(async () => {
    const changes = await report(version);
    expect(changes.watchers.map((watcher) => watcher.creatorId)).toContain(creatorId);
  });
});

test("a stalled reader turns sockets stale within 15 s, and its next fetch turns them live", async () => {
  const creatorId = newCreator();
  const client = await LiveClient.open(creatorId);
  await creatorHub(env, creatorId).publish(publishOf(creatorId, 1, [item("cnt_1", { views: 5 })]));
  const reader = startReader();
  await client.frame("status", ({ state }) => state === "live");
  reader.stop();

  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 15_000 });
  await runDurableObjectAlarm(watchList(env));
  expect(await client.frame("status", ({ state }) => state === "stale")).toMatchObject({ reason: "reader_stalled" });
  const before = client.frames.length;
  startReader().stop();

  await client.state(({ state, totals }) => state === "live" && totals.views === 5);
  expect(client.frames.length).toBeGreaterThan(before);
});

test("a malformed report is refused", async () => {
  const good = { v: 1, source: engagement(0), partitions: 1, epoch: 1, offset: 1, served: null };

  expect(await errorOf(watchList(env).report({ ...good, health: null as never }))).toContain("health");
});
