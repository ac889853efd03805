// The Log port in front of a real Kafka: Apache Kafka 3.5 or newer, and what speaks its protocol.
import { ListOffsetTimestamps } from "@platformatic/kafka";
import { KafkaClient } from "./kafka-client.ts";
import type { KafkaOptions } from "./kafka-client.ts";
import { persist } from "./kafka-errors.ts";
import { fetchFromKafka } from "./kafka-fetch.ts";
import { commitToKafka, committedInKafka, joinKafkaGroup } from "./kafka-groups.ts";
import { KafkaMetadata } from "./kafka-metadata.ts";
import type { KafkaTopic } from "./kafka-metadata.ts";
import { produceToKafka } from "./kafka-produce.ts";
import type { Log, OffsetQuery, TopicInfo, TopicPartition, TopicPartitionOffset } from "./log.ts";

export type { KafkaOptions } from "./kafka-client.ts";

/** `isolation.level=read_committed`: the latest offset is the last stable one. */
const READ_COMMITTED = 1;

/** A log in front of Kafka. It connects when first needed: a Kafka that is down does not keep the bridge from starting. */
export function openKafkaLog(options: KafkaOptions): Log {
  const client = new KafkaClient(options);
  const metadata = new KafkaMetadata(client);
  /** Does something with partitions that there are, also where they went since that was last known. */
  const persistOn = async <T>(partitions: readonly TopicPartition[], deadline: AbortSignal, work: () => Promise<T>) => {
    await metadata.require(partitions, deadline);
    return persist(deadline, async () => {
      try {
        return await work();
      } catch (error) {
        await metadata.confirm(partitions, deadline);
        throw error;
      }
    });
  };
  return {
    topics: async (deadline) => new Map((await metadata.all(deadline)).map((topic) => [topic.name, infoOf(topic)])),

    topic: async (name, deadline, { fresh = false } = {}) => {
      const topic = await metadata.topic(name, deadline, { fresh });
      return topic && infoOf(topic);
    },

    produce: (records, deadline) => produceToKafka(client, metadata, records, deadline),

    fetch: (positions, fetchOptions) => fetchFromKafka(client, metadata, positions, fetchOptions),

    offsets: async (partitions, at, deadline) => {
      const found = await persistOn(partitions, deadline, () => listOffsets(client, partitions, timestampOf(at)));
      // Kafka answers -1 where every record is older; the contract promises an offset to read from.
      const pastEnd = found.filter(({ offset }) => offset < 0);
      const latest = await persist(deadline, () => listOffsets(client, pastEnd, ListOffsetTimestamps.LATEST));
      return found.map((each) => (each.offset < 0 ? (latest[pastEnd.indexOf(each)] ?? each) : each));
    },

    commit: (group, offsets, deadline) => persistOn(offsets, deadline, () => commitToKafka(client, group, offsets)),

    committed: (group, partitions, deadline) =>
      persistOn(partitions, deadline, () => committedInKafka(client, group, partitions)),

    join: async (joinOptions, deadline) => {
      await metadata.require(
        joinOptions.topics.map((topic) => ({ topic, partition: 0 })),
        deadline,
      );
      return joinKafkaGroup(client, metadata, joinOptions, deadline);
    },

    check: (deadline) => metadata.check(deadline),

    close: () => client.close(),
  };
}

function infoOf({ topicId, leaders }: KafkaTopic): TopicInfo {
  return { topicId, partitions: leaders.length };
}

function timestampOf(at: OffsetQuery): bigint {
  if (at === "earliest") {
    return ListOffsetTimestamps.EARLIEST;
  }
  return at === "latest" ? ListOffsetTimestamps.LATEST : BigInt(at);
}

/** Asks the leaders; answers in the order asked. */
async function listOffsets(
  client: KafkaClient,
  partitions: readonly TopicPartition[],
  timestamp: bigint,
): Promise<TopicPartitionOffset[]> {
  if (partitions.length === 0) {
    return [];
  }
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, asked]) => ({
    name,
    partitions: asked.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
  }));
  const answers = await client.admin.listOffsets({ topics, isolationLevel: READ_COMMITTED });
  return partitions.map(({ topic, partition }) => {
    const answer = answers
      .find(({ name }) => name === topic)
      ?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
    return { topic, partition, offset: Number(answer?.offset ?? -1n) };
  });
}
