import { expect, test } from "vitest";
import { type Publications, Publisher } from "../../../src/consumer/publish/publisher.ts";
import { type CreatorId, creatorIdSchema, sourceSchema } from "../../../src/contract/ids.ts";
import type { Publish, PublishReply } from "../../../src/contract/live-rpc.ts";
import { FakeWorld } from "./fakes.ts";

const source = sourceSchema.parse("user.engagement.events:0");
const ANSWER_MS = 10;
const nothing = { liveViewers: 0, views: 0, likes: 0, shares: 0, completions: 0, watchSeconds: 0, items: 0 };
const publicationOf = (creatorId: CreatorId, epoch: number): Publish => {
  return { v: 1, creatorId, source, epoch, offset: 0, at: 0, caughtUp: true, totals: nothing, items: [] };
};

test("whoever is watched no longer is forgotten", () => {
  const forgotten: CreatorId[] = [];
  const publications: Publications = {
    hasSomethingFor: () => false,
    of: () => {
      throw new Error("there is nothing to publish");
    },
    position: () => ({ epoch: 1, offset: 0 }),
    forget: (creatorId) => forgotten.push(creatorId),
  };
  const publisher = new Publisher(new FakeWorld().ports(), publications);
  const one = creatorIdSchema.parse("crt_1");
  const two = creatorIdSchema.parse("crt_2");
  const three = creatorIdSchema.parse("crt_3");
  [one, two, three].forEach((creatorId) => publisher.watch(creatorId, "h1"));
  publisher.unwatch(two);
  expect(forgotten).toEqual([two]);
  publisher.keepOnly(new Set([three]));
  expect(forgotten).toEqual([two, one]);
});

test("a publish that was on its way when counting began again serves nobody", async () => {
  const creatorId = creatorIdSchema.parse("crt_1");
  const position = { epoch: 1, offset: 0 };
  const publications: Publications = {
    hasSomethingFor: () => true,
    of: () => publicationOf(creatorId, position.epoch),
    position: () => ({ ...position }),
    forget: () => undefined,
  };
  const world = new FakeWorld();
  const answers: (() => void)[] = [];
  const publish = ({ epoch, offset }: Publish) =>
    new Promise<PublishReply>((resolve) => {
      answers.push(() => resolve({ v: 1, outcome: "accepted", held: { epoch, offset }, intervalMs: 250 }));
    });
  const publisher = new Publisher({ ...world.ports(), hubs: { publish } }, publications);

  publisher.watch(creatorId, "h1");
  publisher.pump();
  position.epoch = 2;
  publisher.everythingChanged();
  answers[0]?.();
  await world.time.pass(1_000);
  expect(publisher.unserved().waiting).toBe(1);
  answers[1]?.();
  await world.time.pass(1_000);

  expect(publisher.unserved().waiting).toBe(0);
});

test("a hub that was ahead and then does not answer is called no more often than any other", async () => {
  const creatorId = creatorIdSchema.parse("crt_1");
  const position = { epoch: 1, offset: 5 };
  const publications: Publications = {
    hasSomethingFor: () => true,
    of: () => ({ ...publicationOf(creatorId, position.epoch), offset: position.offset }),
    position: () => ({ ...position }),
    forget: () => undefined,
  };
  const world = new FakeWorld();
  const callsAt: number[] = [];
  const publish = async (): Promise<PublishReply> => {
    callsAt.push(world.time.now());
    const isFirst = callsAt.length === 1;
    await new Promise<void>((resolve) => world.time.after(ANSWER_MS, resolve));
    if (isFirst) {
      return { v: 1, outcome: "behind", held: { epoch: 1, offset: 7 }, intervalMs: 250 };
    }
    throw new Error("Network connection lost.");
  };
  const publisher = new Publisher({ ...world.ports(), hubs: { publish } }, publications);

  publisher.watch(creatorId, "h1");
  publisher.pump();
  await world.time.pass(100);
  position.offset = 8;
  publisher.pump();
  await world.time.pass(2_000);

  const waits = callsAt.slice(2).map((at, call) => at - (callsAt[call + 1] ?? 0) - ANSWER_MS);
  expect(waits).toEqual([250, 500, 1_000]);
});
