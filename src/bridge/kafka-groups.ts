// Consumer groups in Kafka: positions stored from outside, and members that this process holds.
import { Consumer } from "@platformatic/kafka";
import { logUnavailable } from "./errors.ts";
import type { KafkaClient } from "./kafka-client.ts";
import { asBridgeError, hasKafkaCode, isPassing, within } from "./kafka-errors.ts";
import type { KafkaMetadata } from "./kafka-metadata.ts";
import type { GroupMember, JoinOptions, TopicPartition, TopicPartitionOffset } from "./log.ts";

/** How soon a member hears of a rebalance, milliseconds; Kafka's own default is three seconds. */
const HEARTBEAT_INTERVAL_MS = 1_000;
/** How long a rebalance may wait for a member, milliseconds; members here only beat, so they are quick. */
const REBALANCE_TIMEOUT_MS = 60_000;
/** How long a member that could not join tries to leave again, milliseconds. */
const LEAVE_DEADLINE_MS = 5_000;
/** The session's bounds in a broker's defaults (`group.min.session.timeout.ms`, `group.max…`), milliseconds. */
const SESSION_MS = { least: 6_000, most: 1_800_000 };

/** Stores positions without being a member. Kafka refuses it, with an unknown member, while the group has members. */
export async function commitToKafka(
  client: KafkaClient,
  groupId: string,
  offsets: readonly TopicPartitionOffset[],
): Promise<void> {
  const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, positions]) => ({
    name,
    partitionOffsets: positions.map(({ partition, offset }) => ({ partition, offset: BigInt(offset) })),
  }));
  if (topics.length > 0) {
    await client.admin.alterConsumerGroupOffsets({ groupId, topics });
  }
}

/** A group's stored positions, -1 for none. */
export async function committedInKafka(
  client: KafkaClient,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<TopicPartitionOffset[]> {
  if (partitions.length === 0) {
    return [];
  }
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, asked]) => ({
    name,
    partitionIndexes: asked.map(({ partition }) => partition),
  }));
  const groups = await client.admin
    .listConsumerGroupOffsets({ groups: [{ groupId, topics }] })
    // A group that has never committed anything.
    .catch((error: unknown) => {
      if (hasKafkaCode(error, "GROUP_ID_NOT_FOUND")) {
        return [];
      }
      throw error;
    });
  const stored = groups[0]?.topics ?? [];
  return partitions.map(({ topic, partition }) => {
    const position = stored
      .find(({ name }) => name === topic)
      ?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
    return { topic, partition, offset: Number(position?.committedOffset ?? -1n) };
  });
}

/** Joins a group as the static member `instance`; answers once it has its partitions. */
export async function joinKafkaGroup(
  client: KafkaClient,
  metadata: KafkaMetadata,
  { group, instance, topics, sessionTimeoutMs }: JoinOptions,
  deadline: AbortSignal,
): Promise<GroupMember> {
  const consumer = new Consumer({
    ...client.options,
    groupId: group,
    groupInstanceId: instance,
    retries: 3,
    retryDelay: 200,
    sessionTimeout: Math.min(SESSION_MS.most, Math.max(SESSION_MS.least, sessionTimeoutMs)),
    rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, Math.min(SESSION_MS.most, sessionTimeoutMs)),
    heartbeatInterval: HEARTBEAT_INTERVAL_MS,
  });
  client.brokers.guide(consumer);
  // A rejoin that failed is seen by the next call, which finds no membership.
  consumer.on("error", () => undefined);
  consumer.topics.trackAll(...topics);
  /** How many partitions the topics had when they were last shared out. */
  let shared = "";
  const join = async (signal: AbortSignal) => {
    shared = (await partitionCounts(metadata, topics, signal)).join();
    // The group's leader shares out the partitions that the library knows of.
    consumer.clearMetadata();
    await within(signal, consumer.joinGroup({}));
  };
  /** Where partitions were added, the leader that joins again makes all share anew; others keep what they have. */
  const follow = async (signal: AbortSignal) => {
    if (!consumer.isActive() || (await partitionCounts(metadata, topics, signal)).join() !== shared) {
      await join(signal);
    }
  };
  // Nobody may call the leader's instance for long: added partitions would be nobody's until it ends.
  const followAdded = async (signal: AbortSignal) => {
    const counts = await partitionCounts(metadata, topics, signal);
    // Of a topic that is gone there is nothing to share out: the next call says so.
    if (!counts.includes(0) && counts.join() !== shared) {
      await join(signal);
    }
  };
  let following: Promise<void> = Promise.resolve();
  let isFollowing = false;
  consumer.on("consumer:heartbeat:end", () => {
    if (!isFollowing) {
      isFollowing = true;
      following = followAdded(AbortSignal.timeout(REBALANCE_TIMEOUT_MS))
        // The next beat, or the next call, finds the same.
        .catch(() => undefined)
        .finally(() => {
          isFollowing = false;
        });
    }
  });
  const leave = async (signal: AbortSignal) => {
    // The group's coordinator may be away: the member then ends with its session.
    await within(signal, consumer.close(true)).catch(() => consumer.connections.close(() => undefined));
  };
  try {
    await join(deadline);
  } catch (error) {
    void leave(AbortSignal.timeout(LEAVE_DEADLINE_MS));
    throw asBridgeError(error);
  }
  return {
    assignment: async (signal) => {
      try {
        await within(signal, following);
        await follow(signal);
      } catch (error) {
        const failure = asBridgeError(error);
        if (failure.status >= 500) {
          await metadata.confirm(
            topics.map((topic) => ({ topic, partition: 0 })),
            signal,
          );
        }
        throw failure;
      }
      const partitions = (consumer.assignments ?? []).flatMap(({ topic, partitions: given }) =>
        given.map((partition) => ({ topic, partition })),
      );
      return { membership: consumer.memberId ?? "", generation: consumer.generationId, partitions };
    },
    commit: async (offsets, signal) => {
      const stored = offsets.map(({ topic, partition, offset }) => {
        return { topic, partition, offset: BigInt(offset), leaderEpoch: -1 };
      });
      try {
        await within(signal, consumer.commit({ offsets: stored }));
      } catch (error) {
        throw isPassing(error) ? logUnavailable(error) : asBridgeError(error);
      }
    },
    leave,
  };
}

/** How many partitions each topic has, by what is known of it: 0 where it is gone. */
async function partitionCounts(
  metadata: KafkaMetadata,
  topics: readonly string[],
  deadline: AbortSignal,
): Promise<number[]> {
  const found = await Promise.all(topics.map((name) => metadata.topic(name, deadline)));
  return found.map((topic) => topic?.leaders.length ?? 0);
}
