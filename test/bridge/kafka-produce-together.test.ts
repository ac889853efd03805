// Requests that go through the one idempotent producer together, of which some fail.
import { randomUUID } from "node:crypto";
import { kGetBootstrapConnection } from "@platformatic/kafka";
import { expect, onTestFinished, test, vi } from "vitest";
import { KafkaClient } from "../../src/bridge/kafka-client.ts";
import { KafkaMetadata } from "../../src/bridge/kafka-metadata.ts";
import { produceToKafka } from "../../src/bridge/kafka-produce.ts";
import type { NewRecord } from "../../src/bridge/log.ts";
import { createTopic } from "./kafka/topics.ts";
import type { Message } from "./rest-client.ts";
import { withKafka } from "./with-kafka.ts";

/** What a topic of these tests takes in one batch, bytes. */
const LARGEST = 1_000;
const tooLarge = "x".repeat(2 * LARGEST);

withKafka("produced together", {}, (now) => {
  const newTopic = async () => {
    const topic = randomUUID();
    await createTopic(now().cluster.brokers, topic, 1, { "max.message.bytes": String(LARGEST) });
    return topic;
  };
  const values = async (topic: string) => {
    const answer = await now().rest.post("/fetch", { topic, partition: 0, offset: 0, timeout: 300 });
    return answer.json<Message[]>().map(({ value }) => value);
  };

  test("a record is stored once, where another one of its request has to be sent again", async () => {
    const [one, other] = [await newTopic(), await newTopic()];
    const { rest } = now();
    await rest.post(
      "/produce",
      [one, other].map((topic) => ({ topic, value: "before" })),
    );
    // Kafka misses the refused record in the sequence of its partition, and refuses what follows.
    const [refused, stored] = await Promise.all([
      rest.post(`/produce/${other}`, { value: tooLarge }),
      rest.post("/produce", [
        { topic: one, value: "beside" },
        { topic: other, value: "behind" },
      ]),
    ]);
    expect([refused.status, stored.status]).toEqual([413, 200]);
    expect(stored.json<Message[]>().map(({ offset }) => offset)).toEqual([1, 1]);
    expect([await values(one), await values(other)]).toEqual([
      ["before", "beside"],
      ["before", "behind"],
    ]);
  });

  test("a record that waits for metadata while another one fails is not taken for an earlier one", async () => {
    const topic = await newTopic();
    const client = new KafkaClient({ brokers: now().cluster.brokers });
    const { producer } = client;
    onTestFinished(() => client.close());
    const metadata = new KafkaMetadata(client);
    const produce = async (value: string) => {
      const record: NewRecord = { topic, partition: 0, timestamp: undefined, key: undefined, value, headers: [] };
      const [stored] = await produceToKafka(client, metadata, [record], AbortSignal.timeout(5_000));
      return stored?.offset;
    };
    expect(await produce("first")).toBe(0);

    const isSent = Promise.withResolvers<void>();
    const send = producer.send.bind(producer);
    vi.spyOn(producer, "send").mockImplementationOnce((options) => {
      const sent = send(options);
      isSent.resolve();
      return sent;
    });
    const refused = produce(tooLarge).catch((error: unknown) => error);
    await isSent.promise;

    const isAsked = Promise.withResolvers<() => void>();
    const connect = producer[kGetBootstrapConnection];
    producer[kGetBootstrapConnection] = (callback) => isAsked.resolve(() => connect.call(producer, callback));
    producer.clearMetadata();
    const waiting = produce("second");
    const goOn = await isAsked.promise;
    expect(await refused).toMatchObject({ status: 413 });
    producer[kGetBootstrapConnection] = connect;
    goOn();
    expect(await waiting).toBe(1);
    expect(await values(topic)).toEqual(["first", "second"]);
  });
});
