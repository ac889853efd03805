// Appending to Kafka: the partition every other client would choose, acknowledged by all in-sync replicas.
import { partitionOf } from "../contract/partitioner.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { asBridgeError, within } from "./kafka-errors.ts";
import type { KafkaMetadata, KafkaTopic } from "./kafka-metadata.ts";
import type { NewRecord, RecordMetadata } from "./log.ts";

/** Below the broker's default `message.max.bytes` of 1 MiB, which bounds a whole batch of one partition. */
const BATCH_BYTES = 900 * 1024;

type PlacedRecord = NewRecord & { partition: number; timestamp: number; index: number };

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
  const now = Date.now();
  const placed = records.map((record, index) => {
    const partition = record.partition ?? choosePartition(topics.get(record.topic), record.key);
    return { ...record, index, partition, timestamp: record.timestamp ?? now };
  });
  const stored: RecordMetadata[] = [];
  for (const send of sends(placed)) {
    const work = client.producer.send({ messages: send.map(messageOf) });
    const { offsets = [] } = await within(deadline, work).catch((error: unknown) => {
      send.forEach(({ topic }) => metadata.forget(topic));
      throw asBridgeError(error);
    });
    const byPlace = Map.groupBy(send, placeOf);
    for (const { topic, partition, offset: base } of offsets) {
      byPlace.get(placeOf({ topic, partition }))?.forEach(({ index, timestamp }, i) => {
        stored[index] = { topic, partition, offset: Number(base) + i, timestamp };
      });
    }
  }
  return stored;
}

const placeOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`;

function choosePartition(topic: KafkaTopic | undefined, key: string | undefined): number {
  const count = topic?.leaders.length ?? 1;
  if (key !== undefined) {
    return partitionOf(key, count);
  }
  turn += 1;
  return turn % count;
}

/** Splits records, in order, so that no send has more of a partition than a broker takes in one batch by default. */
function sends(records: readonly PlacedRecord[]): PlacedRecord[][] {
  const all: PlacedRecord[][] = [];
  const filled = new Map<string, { send: number; bytes: number }>();
  for (const record of records) {
    const place = placeOf(record);
    const bytes = sizeOf(record);
    let { send, bytes: taken } = filled.get(place) ?? { send: 0, bytes: 0 };
    if (taken > 0 && taken + bytes > BATCH_BYTES) {
      send += 1;
      taken = 0;
    }
    filled.set(place, { send, bytes: taken + bytes });
    (all[send] ??= []).push(record);
  }
  return all;
}

/** Bytes of a record in a batch; lengths and deltas take at most 40 of them. */
function sizeOf({ key, value, headers }: NewRecord): number {
  let bytes = 40 + (key === undefined ? 0 : Buffer.byteLength(key)) + (value === null ? 0 : Buffer.byteLength(value));
  for (const header of headers) {
    bytes += 10 + Buffer.byteLength(header.key) + Buffer.byteLength(header.value);
  }
  return bytes;
}

function messageOf({ topic, partition, timestamp, key, value, headers }: PlacedRecord) {
  return {
    topic,
    partition,
    timestamp: BigInt(timestamp),
    // A map by identity of its keys: two headers of one name stay two, in their order.
    headers: new Map(headers.map((header) => [Buffer.from(header.key), Buffer.from(header.value)])),
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
    ...(value === null ? {} : { value: Buffer.from(value) }),
  };
}
