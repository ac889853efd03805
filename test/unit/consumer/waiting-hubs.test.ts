// What waits for hubs that do not answer must not keep from theirs the hubs that do.
import { expect, test } from "vitest";
import { RareDelivery } from "../../../src/consumer/publish/rare-delivery.ts";
import { StreamShareSender } from "../../../src/consumer/publish/stream-share-sender.ts";
import { contentIdSchema, type CreatorId, creatorIdSchema } from "../../../src/contract/ids.ts";
import { FakeWorld } from "./fakes.ts";

/** More than can be called within the longest wait: by the time the last was tried, the first are due again. */
const MANY = 300;

function worldOfSilence(): { world: FakeWorld; silent: CreatorId[]; other: CreatorId } {
  const world = new FakeWorld();
  const silent = Array.from({ length: MANY }, (_, number) => creatorIdSchema.parse(`silent_${number}`));
  silent.forEach((creatorId) => world.silentHubs.add(creatorId));
  return { world, silent, other: creatorIdSchema.parse("crt_1") };
}

test("a finished stream is told soon though many hubs have not answered for long", async () => {
  const { world, silent, other } = worldOfSilence();
  const sender = new StreamShareSender(
    world.ports(),
    () => 1,
    () => undefined,
  );
  const offer = (creatorId: CreatorId) =>
    sender.offer({
      creatorId,
      contentId: contentIdSchema.parse("cnt_1"),
      startedAt: 1,
      endedAt: 2,
      peakViewers: 1,
      peakAt: 1,
      viewersPerMinute: { firstMinute: 0, counts: [1] },
      uniqueSessions: 1,
      watchSeconds: 1,
      likes: 0,
      shares: 0,
      approximate: false,
    });
  silent.forEach(offer);
  sender.pump();
  await world.time.pass(300_000);

  offer(other);
  sender.pump();
  await world.time.pass(6_000);

  expect(world.shares).toMatchObject([{ creatorId: other }]);
});

test("a parked creator whose hub is back gets its events though many others do not answer", async () => {
  const { world, silent, other } = worldOfSilence();
  const occurredAt = "2026-11-22T20:00:00Z";
  world.storage.parked = [...silent, other].map((creatorId) => ({
    creatorId,
    epoch: 1,
    event: {
      kind: "subscription",
      offset: 0,
      broadcast: true,
      event: { eventId: `e_${creatorId}`, creatorId, change: "subscribed", occurredAt },
    },
  }));
  world.silentHubs.add(other);
  const delivery = new RareDelivery(world.ports());
  delivery.resume((await world.storage.start()).parked);
  delivery.pump();
  await world.time.pass(300_000);

  world.silentHubs.delete(other);
  await world.time.pass(200_000);

  expect(world.rare).toMatchObject([{ creatorId: other }]);
});
