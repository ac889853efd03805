// Appending to Kafka: the partition every other client would choose, acknowledged by all in-sync replicas.
import type { MessageToProduce } from "@platformatic/kafka";
import { partitionOf } from "../contract/partitioner.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { logUnavailable } from "./errors.ts";
import { asBridgeError, within } from "./kafka-errors.ts";
import type { KafkaMetadata, KafkaTopic } from "./kafka-metadata.ts";
import type { NewRecord, RecordMetadata, TopicPartition } from "./log.ts";

/** Below the broker's default `message.max.bytes` of 1 MiB, which bounds a whole batch of one partition. */
const BATCH_BYTES = 900 * 1024;

type Message = MessageToProduce<string, string | Uint8Array, Uint8Array, Uint8Array>;

/** Where the next record without a key goes, anywhere at first so that replicas of the bridge do not march in step. */
let turn = Math.floor(Math.random() * 1_000);

/** Appends records; answers in the order given. A failure may leave the records of some partitions appended. */
export async function produceToKafka(
  client: KafkaClient,
  metadata: KafkaMetadata,
  records: readonly NewRecord[],
  deadline: AbortSignal,
): Promise<RecordMetadata[]> {
  const topics = await metadata.require(
    records.map(({ topic, partition }) => ({ topic, partition: partition ?? 0 })),
    deadline,
  );
  refreshProducer(client, topics.values());
  const now = Date.now();
  const stored: RecordMetadata[] = [];
  for (const { messages, indexes } of sendsOf(records, topics, now)) {
    const { offsets = [] } = await within(deadline, client.producer.send({ messages })).catch(
      async (error: unknown) => {
        const failure = asBridgeError(error);
        if (failure.status >= 500) {
          await metadata.confirm(places(messages), deadline);
        }
        throw failure;
      },
    );
    for (const { topic, partition, offset: base } of offsets) {
      const appendedAt = client.appendTimes.take(topic, partition, base);
      indexes.get(topic)?.[partition]?.forEach((index, i) => {
        const timestamp = appendedAt ?? records[index]?.timestamp ?? now;
        stored[index] = { topic, partition, offset: Number(base) + i, timestamp };
      });
    }
  }
  for (const index of records.keys()) {
    if (stored[index] === undefined) {
      throw logUnavailable(new Error("an answer of Kafka lacks a record that was sent"));
    }
  }
  return stored;
}

/** The last partition of each topic that records were to go to. */
function places(messages: readonly Message[]): TopicPartition[] {
  const highest = new Map<string, number>();
  for (const { topic, partition = 0 } of messages) {
    highest.set(topic, Math.max(partition, highest.get(topic) ?? 0));
  }
  return [...highest].map(([topic, partition]) => ({ topic, partition }));
}

/** The producer asks any broker for a partition that it has not heard of: it should not know less than we do. */
function refreshProducer({ producer }: KafkaClient, topics: Iterable<KafkaTopic>): void {
  const known = producer.currentMetadata?.topics;
  for (const { name, leaders } of topics) {
    const count = known?.get(name)?.partitionsCount;
    if (count !== undefined && count !== leaders.length) {
      producer.clearMetadata();
    }
  }
}

function choosePartition(topic: KafkaTopic | undefined, key: string | undefined): number {
  const count = topic?.leaders.length ?? 1;
  if (key !== undefined) {
    return partitionOf(key, count);
  }
  turn += 1;
  return turn % count;
}

/** Records that go together. */
interface Send {
  messages: Message[];
  /** By topic and partition: the places of its records in what was asked for, in order. */
  indexes: Map<string, number[][]>;
}

/** Splits records, in order, so that no send has more of a partition than a broker takes in one batch by default. */
function sendsOf(records: readonly NewRecord[], topics: ReadonlyMap<string, KafkaTopic>, now: number): Send[] {
  const sends: Send[] = [];
  const filled = new Map<string, { send: number; bytes: number }[]>();
  const present = BigInt(now);
  records.forEach((record, index) => {
    const { topic } = record;
    const timestamp = record.timestamp === undefined ? present : BigInt(record.timestamp);
    const partition = record.partition ?? choosePartition(topics.get(topic), record.key);
    const lanes = entryOf(filled, topic);
    const lane = (lanes[partition] ??= { send: 0, bytes: 0 });
    const message = messageOf(record, partition, timestamp);
    const bytes = sizeOf(record);
    if (lane.bytes > 0 && lane.bytes + bytes > BATCH_BYTES) {
      lane.send += 1;
      lane.bytes = 0;
    }
    lane.bytes += bytes;
    const send = (sends[lane.send] ??= { messages: [], indexes: new Map() });
    send.messages.push(message);
    (entryOf(send.indexes, topic)[partition] ??= []).push(index);
  });
  return sends;
}

function entryOf<T>(lists: Map<string, T[]>, key: string): T[] {
  let list = lists.get(key);
  if (list === undefined) {
    list = [];
    lists.set(key, list);
  }
  return list;
}

/** Bytes of a record in a batch; lengths and deltas take at most 40 of them, and 10 a header. */
function sizeOf({ key, value, headers }: NewRecord): number {
  let bytes = 40 + Buffer.byteLength(key ?? "") + Buffer.byteLength(value ?? "");
  for (const header of headers) {
    bytes += 10 + Buffer.byteLength(header.key) + Buffer.byteLength(header.value);
  }
  return bytes;
}

function messageOf({ topic, key, value, headers }: NewRecord, partition: number, timestamp: bigint): Message {
  const message: Message = { topic, partition, timestamp };
  if (key !== undefined) {
    message.key = key;
  }
  if (value !== null) {
    message.value = value;
  }
  if (headers.length > 0) {
    // A map by identity of its keys: two headers of one name stay two, in their order.
    message.headers = new Map(headers.map((header) => [Buffer.from(header.key), Buffer.from(header.value)]));
  }
  return message;
}
