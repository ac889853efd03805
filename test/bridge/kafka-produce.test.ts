// Producing, where what Kafka answers is not what was asked for.
import { expect, onTestFinished, test, vi } from "vitest";
import { KafkaClient } from "../../src/bridge/kafka-client.ts";
import { KafkaMetadata } from "../../src/bridge/kafka-metadata.ts";
import { produceToKafka } from "../../src/bridge/kafka-produce.ts";

test("records that Kafka's answer does not account for are a 503, not a hole in the list", async () => {
  const client = new KafkaClient({ brokers: ["127.0.0.1:9"] });
  onTestFinished(() => client.close());
  const metadata = new KafkaMetadata(client);
  const leaders = [undefined, undefined];
  const topic = { name: "t", uuid: "", topicId: "", leaders };
  vi.spyOn(metadata, "require").mockResolvedValue(new Map([["t", topic]]));
  vi.spyOn(client.producer, "send").mockResolvedValue({ offsets: [{ topic: "t", partition: 0, offset: 7n }] });
  const record = { topic: "t", timestamp: 1, key: undefined, value: "x", headers: [] };
  const records = [0, 1].map((partition) => ({ ...record, partition }));
  const produced = produceToKafka(client, metadata, records, AbortSignal.timeout(1_000));
  await expect(produced).rejects.toMatchObject({ name: "BridgeError", status: 503 });
});
