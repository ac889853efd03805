// Fetching, where the leader is not there.
import { getEventListeners } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { KafkaClient } from "../../src/bridge/kafka-client.ts";
import { fetchFromKafka } from "../../src/bridge/kafka-fetch.ts";
import { KafkaMetadata } from "../../src/bridge/kafka-metadata.ts";

test("a fetch that tried several times leaves nothing on the signal of its request", async () => {
  const client = new KafkaClient({ brokers: ["127.0.0.1:9"] });
  onTestFinished(() => client.close());
  const metadata = new KafkaMetadata(client);
  const topic = { name: "t", uuid: "", topicId: "", leaders: [{ host: "127.0.0.1", port: 9 }] };
  const asked = vi.spyOn(metadata, "topic").mockResolvedValue(topic);
  const { signal } = new AbortController();
  const bounds = { timeoutMs: 1_000, maxRecords: 1, maxBytes: 1, encoding: "utf8", signal } as const;
  const fetched = fetchFromKafka(client, metadata, [{ topic: "t", partition: 0, offset: 0 }], bounds);
  await expect(fetched).rejects.toMatchObject({ status: 503 });
  expect(asked.mock.calls.length).toBeGreaterThan(1);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
