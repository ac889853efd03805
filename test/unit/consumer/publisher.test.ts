import { expect, test } from "vitest";
import { type Publications, Publisher } from "../../../src/consumer/publish/publisher.ts";
import { type CreatorId, creatorIdSchema } from "../../../src/contract/ids.ts";
import { FakeWorld } from "./fakes.ts";

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
