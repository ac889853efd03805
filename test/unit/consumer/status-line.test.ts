import { expect, test } from "vitest";
import { statusLine } from "../../../src/consumer/read/status-line.ts";
import { EngagementHandler } from "../../../src/consumer/read/engagement-handler.ts";
import { PartitionLoop } from "../../../src/consumer/read/partition-loop.ts";
import { RareHandler } from "../../../src/consumer/read/rare-handler.ts";
import { FakeWorld } from "./fakes.ts";

const LIMITS = { ms: 1_000_000_000, records: 1_000_000, calls: 1_000_000 };

test("a reader's line says how it fares and what became of the records, and names nothing from them", async () => {
  const world = new FakeWorld();
  const ports = world.ports();
  const loop = new PartitionLoop(ports, (suspects, view) => new EngagementHandler(ports, suspects, view));
  void loop.run(LIMITS);
  const like = {
    eventId: "e1",
    type: "like.added",
    creatorId: "crt_1",
    contentId: "cnt_1",
    sessionId: "s1",
    occurredAt: new Date(world.time.now()).toISOString(),
  };
  world.records.add(
    like,
    like,
    { ...like, eventId: "e2", type: "a.secret" },
    { ...like, eventId: "e3", type: "a.secret" },
  );
  await world.time.pass(5_000);
  const counts = { not_json: { kept: 2, unkept: 3 }, too_large: { kept: 1, unkept: 0 } };
  const line = statusLine(loop.status(), counts);
  expect(line).toEqual({
    state: "ok",
    reason: null,
    lagRecords: 0,
    lagSeconds: 0,
    lastFetchMs: 2_000,
    lastPublishMs: null,
    deadLetters: 6,
    "deadLetters.not_json": 5,
    "deadLetters.too_large": 1,
    skippedTypes: 1,
    skippedRecords: 2,
    duplicates: 1,
    overlap: null,
    sharesWaiting: 0,
    sharesGivenUp: 0,
    parkedEvents: null,
  });
});

test("the line of a rare topic's reader says what waits for failing hubs, and what hubs had already", async () => {
  const world = new FakeWorld();
  const ports = world.ports();
  const loop = new PartitionLoop(ports, (suspects) => new RareHandler(ports, "subscription", suspects));
  expect(statusLine(loop.status(), {})).toMatchObject({ state: "starting", lagRecords: null, overlap: null });
  void loop.run(LIMITS);
  world.failingHubs.add("crt_1");
  const occurredAt = new Date(world.time.now()).toISOString();
  world.records.add({ eventId: "e1", creatorId: "crt_1", change: "subscribed", occurredAt });
  await world.time.pass(500);
  expect(statusLine(loop.status(), {})).toMatchObject({
    deadLetters: 0,
    duplicates: null,
    overlap: 0,
    parkedEvents: 1,
  });
});
