// The Log port: what the HTTP layer needs of a partitioned log. Implementations: a real Kafka, and the embedded log.
// Records leave a log already encoded as JSON, so that a fetch only joins buffers.

/** One partition of a topic. */
export interface TopicPartition {
  topic: string;
  partition: number;
}

/** A position in a partition: the offset of a record, or of the next one. */
export interface TopicPartitionOffset extends TopicPartition {
  offset: number;
}

/** What is known of a topic. A recreated topic has another `topicId` (16 bytes as unpadded base64url, as Kafka prints it). */
export interface TopicInfo {
  topicId: string;
  partitions: number;
}

/** A record to append. `key` undefined: no key. `value` null: a tombstone. */
export interface NewRecord {
  topic: string;
  partition: number | undefined;
  /** Milliseconds since the epoch; undefined: now. */
  timestamp: number | undefined;
  key: string | undefined;
  value: string | Uint8Array | null;
  headers: readonly { key: string; value: string }[];
}

/** Where a record was stored, and its timestamp in milliseconds. */
export interface RecordMetadata extends TopicPartitionOffset {
  timestamp: number;
}

/** How values are written: text, or base64 of their bytes (null for a tombstone). */
export type ValueEncoding = "utf8" | "base64";

/** One partition to read from. With `topicId`, a topic that has another id is a conflict. */
export interface FetchPosition extends TopicPartitionOffset {
  topicId?: string | undefined;
}

/** Bounds of a fetch. */
export interface FetchOptions {
  /** How long to wait for the first record, in milliseconds. */
  timeoutMs: number;
  maxRecords: number;
  /** Of encoded JSON; exceeded only by a first record that is larger alone. */
  maxBytes: number;
  encoding: ValueEncoding;
  /** Ends the wait early: the fetch answers with what there is. */
  signal: AbortSignal;
}

/** What a fetch read of one partition. */
export interface FetchedPartition extends TopicPartition {
  /** Of the topic that was read; undefined while it has not been reached. */
  topicId?: string | undefined;
  count: number;
  /** `count` JSON objects joined by commas, in pieces that follow each other. */
  records: readonly Uint8Array[];
  /** The offset to read next: behind the last record, and behind what readers never see (markers, aborted records). */
  nextOffset: number;
  /** The offset the next record will get. */
  highWatermark: number;
}

/** Where `offsets` looks: the ends, or the first record not older than a time in milliseconds. */
export type OffsetQuery = "earliest" | "latest" | number;

/** What a member may read. */
export interface Assignment {
  /** Another one: the member had lost its place in between. */
  membership: string;
  /** One more with every rebalance. */
  generation: number;
  partitions: readonly TopicPartition[];
}

/** A member of a consumer group that this process holds. A deadline that passes is a 503. */
export interface GroupMember {
  /** What this member may read now; waits for a rebalance in progress. Throws {@link MembershipLost}. */
  assignment(deadline: AbortSignal): Promise<Assignment>;
  /** Stores positions for the group as this member; a 409 once the member has lost its place. */
  commit(offsets: readonly TopicPartitionOffset[], deadline: AbortSignal): Promise<void>;
  leave(deadline: AbortSignal): Promise<void>;
}

/** How a member joins a group. */
export interface JoinOptions {
  group: string;
  instance: string;
  topics: readonly string[];
  sessionTimeoutMs: number;
}

/** A partitioned log. Every method throws a BridgeError, and no other error, for what a client may be told. */
export interface Log {
  /** Every topic. */
  topics(deadline: AbortSignal): Promise<Map<string, TopicInfo>>;
  /** One topic; undefined when it does not exist. May be a few seconds old, `fresh` is not. */
  topic(name: string, deadline: AbortSignal, options?: { fresh?: boolean }): Promise<TopicInfo | undefined>;
  /** Appends records, durably, all or those of the partitions that took them; answers in the order asked. */
  produce(records: readonly NewRecord[], deadline: AbortSignal): Promise<RecordMetadata[]>;
  /** Reads records: as soon as one exists, or nothing at the timeout. One answer per position asked, in that order. */
  fetch(positions: readonly FetchPosition[], options: FetchOptions): Promise<FetchedPartition[]>;
  /** Offsets by place or time; a time after the last record answers the latest offset. */
  offsets(
    partitions: readonly TopicPartition[],
    at: OffsetQuery,
    deadline: AbortSignal,
  ): Promise<TopicPartitionOffset[]>;
  /** Stores a group's positions without being its member; refused while the group has members elsewhere. */
  commit(group: string, offsets: readonly TopicPartitionOffset[], deadline: AbortSignal): Promise<void>;
  /** A group's stored positions; -1 where there is none. */
  committed(
    group: string,
    partitions: readonly TopicPartition[],
    deadline: AbortSignal,
  ): Promise<TopicPartitionOffset[]>;
  /** Joins a consumer group. */
  join(options: JoinOptions, deadline: AbortSignal): Promise<GroupMember>;
  /** Whether the log answers, for readiness. Throws when it does not. */
  check(deadline: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
