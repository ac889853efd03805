// Topics that are deleted, or made again with fewer partitions, while the bridge still knows them as they were.
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { createTopic, deleteTopic } from "./kafka/topics.ts";
import type { Message, RestAnswer, RestClient } from "./rest-client.ts";
import { withKafka } from "./with-kafka.ts";

type Call = (rest: RestClient, topic: string) => Promise<RestAnswer>;

const last = { partition: 3 };
const group = randomUUID();
const produce: Call = (rest, topic) => rest.post(`/produce/${topic}`, { ...last, value: "for the last partition" });
const calls: [string, Call][] = [
  ["produce", produce],
  ["fetch", (rest, topic) => rest.post("/fetch", { topic, ...last, offset: 0 })],
  ["offsets", (rest, topic) => rest.post("/offsets/latest", { topic, ...last })],
  ["commit", (rest, topic) => rest.post(`/commit/${group}/one`, { topic, ...last, offset: 0 })],
];
const consume: [string, Call] = [
  "consume",
  (rest, topic) => rest.post(`/consume/group-of-${topic}/one`, { topic, timeout: 1_000 }),
];

withKafka("topics that are gone", {}, (now) => {
  test.each([...calls, consume])("after its topic was deleted, %s is a 404, and soon", async (_name, call) => {
    const { cluster, rest } = now();
    const topic = randomUUID();
    await createTopic(cluster.brokers, topic, 4);
    expect((await produce(rest, topic)).status).toBe(200);
    expect((await call(rest, topic)).status).toBe(200);
    await deleteTopic(cluster.brokers, topic);
    const answer = await call(rest, topic);
    expect(answer.json()).toEqual({ result: "Error", error: `Unknown topic: ${topic}`, status: 404 });
    expect(answer.ms).toBeLessThan(2_000);
  });

  test.each(calls)(
    "after its partition was not made again, %s is a 404, and the bridge goes on",
    async (_name, call) => {
      const { cluster, rest } = now();
      const topic = randomUUID();
      await createTopic(cluster.brokers, topic, 4);
      expect((await produce(rest, topic)).status).toBe(200);
      expect((await call(rest, topic)).status).toBe(200);
      await deleteTopic(cluster.brokers, topic);
      await createTopic(cluster.brokers, topic, 2);
      const answer = await call(rest, topic);
      expect([answer.status, answer.json().error]).toEqual([404, `Unknown partition: ${topic} has no partition 3`]);
      // Nothing has gone into another partition.
      const stored = await rest.post(
        `/produce/${topic}`,
        [0, 1].map((partition) => ({ partition, value: "first" })),
      );
      expect(stored.json<Message[]>()).toMatchObject([{ offset: 0 }, { offset: 0 }]);
    },
  );
});
