// The embedded log: a small durable partitioned log in a folder, for development and tests, and where there is no Kafka.
// One process owns the folder. Appends survive that process being killed.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { partitionOf } from "../contract/partitioner.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Clock } from "../runtime/clock.ts";
import { EmbeddedGroups } from "./embedded-groups.ts";
import type { EmbeddedPartition, Retention } from "./embedded-partition.ts";
import { EmbeddedTopics, partitionIn } from "./embedded-topics.ts";
import type { EmbeddedTopic } from "./embedded-topics.ts";
import { BridgeError } from "./errors.ts";
import { takeFolder } from "./folder-lock.ts";
import type {
  FetchOptions,
  FetchPosition,
  FetchedPartition,
  JoinOptions,
  Log,
  NewRecord,
  OffsetQuery,
  RecordMetadata,
  TopicInfo,
  TopicPartition,
  TopicPartitionOffset,
} from "./log.ts";

/** Settings of an embedded log. */
export interface EmbeddedLogOptions extends Partial<Retention> {
  /** Where the log is kept; created when absent. */
  folder: string;
  clock?: Clock;
}

/** A Log with the administration that a real Kafka has its own tools for. */
export interface EmbeddedLog extends Log {
  /** Creates a topic; one that exists with as many partitions is left as it is. Throws a 409 if it has another number. */
  createTopic(name: string, partitions: number): Promise<TopicInfo>;
  /** Adds partitions, so that the topic has `total`. */
  addPartitions(name: string, total: number): Promise<void>;
  /** Deletes a topic with its records; a topic created again under the name gets another id. Throws a 404. */
  deleteTopic(name: string): Promise<void>;
  /** Drops what is too old or too much; also done every minute. */
  applyRetention(): Promise<void>;
}

/** Kafka's own default of seven days; 2 GiB a partition so that a forgotten stack cannot fill a disk; 64 MiB files. */
const retentionDefaults: Retention = {
  retentionMs: 7 * 24 * 3600 * 1000,
  retentionBytes: 2 * 1024 ** 3,
  segmentBytes: 64 * 1024 ** 2,
};
const RETENTION_INTERVAL_MS = 60_000;
/** Opens the log kept in a folder, or begins one there. Throws when another process holds the folder. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { folder, clock = systemClock, ...retention } = options;
  await mkdir(folder, { recursive: true });
  const release = await takeFolder(folder);
  try {
    const log = new FolderLog(folder, { ...retentionDefaults, ...retention }, clock, release);
    await log.load();
    return log;
  } catch (error) {
    await release();
    throw error;
  }
}

class FolderLog implements EmbeddedLog {
  readonly #clock: Clock;
  readonly #release: () => Promise<void>;
  readonly #topics: EmbeddedTopics;
  readonly #groups: EmbeddedGroups;
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(folder: string, retention: Retention, clock: Clock, release: () => Promise<void>) {
    this.#clock = clock;
    this.#release = release;
    this.#topics = new EmbeddedTopics(folder, retention);
    this.#groups = new EmbeddedGroups(join(folder, "offsets.jsonl"), (name) => this.#topics.find(name));
    this.#timer = setInterval(() => void this.applyRetention(), RETENTION_INTERVAL_MS).unref();
  }

  async load(): Promise<void> {
    await this.#topics.load();
    await this.#groups.load();
  }

  createTopic(name: string, partitions: number): Promise<TopicInfo> {
    return this.#topics.create(name, partitions);
  }

  addPartitions(name: string, total: number): Promise<void> {
    return this.#topics.addPartitions(name, total);
  }

  deleteTopic(name: string): Promise<void> {
    return this.#topics.delete(name);
  }

  async applyRetention(): Promise<void> {
    const now = this.#clock.now();
    for (const topic of this.#topics) {
      await Promise.all(topic.list.map((partition) => partition.applyRetention(now)));
    }
  }

  async topics(): Promise<Map<string, TopicInfo>> {
    const infos = new Map<string, TopicInfo>();
    for (const { name, topicId, partitions } of this.#topics) {
      infos.set(name, { topicId, partitions });
    }
    return infos;
  }

  async topic(name: string): Promise<TopicInfo | undefined> {
    const topic = this.#topics.find(name);
    return topic && { topicId: topic.topicId, partitions: topic.partitions };
  }

  async produce(records: readonly NewRecord[]): Promise<RecordMetadata[]> {
    const batches = new Map<EmbeddedPartition, number[]>();
    records.forEach((record, i) => {
      const topic = this.#topics.get(record.topic);
      const partition = partitionIn(topic, record.partition ?? choosePartition(topic, record.key));
      const batch = batches.get(partition);
      if (batch === undefined) {
        batches.set(partition, [i]);
      } else {
        batch.push(i);
      }
    });
    const answers = new Map<number, RecordMetadata>();
    const now = this.#clock.now();
    await Promise.all(
      [...batches].map(async ([partition, indexes]) => {
        const stored = await partition.append(
          indexes.flatMap((i) => records[i] ?? []),
          now,
        );
        stored.forEach((metadata, at) => answers.set(indexes[at] ?? -1, metadata));
      }),
    );
    return records.flatMap((_, i) => answers.get(i) ?? []);
  }

  async fetch(positions: readonly FetchPosition[], options: FetchOptions): Promise<FetchedPartition[]> {
    if (!this.#hasRecords(positions)) {
      await this.#change(positions, options);
    }
    const fetched: FetchedPartition[] = [];
    let { maxRecords: records, maxBytes: bytes } = options;
    for (const [at, position] of positions.entries()) {
      // Each partition may take its share of what is left, so that a busy one never starves those behind it.
      const left = positions.length - at;
      const partition = this.#topics.locate(position);
      const { topic, offset } = position;
      const hasRoom = records > 0 && (bytes > 0 || fetched.every(({ count }) => count === 0));
      const read = hasRoom
        ? await partition.read(offset, Math.ceil(records / left), Math.ceil(bytes / left), options.encoding)
        : { count: 0, records: new Uint8Array() };
      records -= read.count;
      bytes -= read.records.length;
      fetched.push({
        topic,
        partition: position.partition,
        topicId: this.#topics.find(topic)?.topicId,
        count: read.count,
        records: [read.records],
        nextOffset: offset + read.count,
        highWatermark: partition.latest,
      });
    }
    return fetched;
  }

  async offsets(partitions: readonly TopicPartition[], at: OffsetQuery): Promise<TopicPartitionOffset[]> {
    return partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      offset: this.#topics.locate({ topic, partition }).offsetAt(at),
    }));
  }

  async commit(group: string, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    offsets.forEach((each) => this.#topics.locate(each));
    this.#groups.commit(group, offsets);
  }

  async committed(group: string, partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
    partitions.forEach((each) => this.#topics.locate(each));
    return this.#groups.committed(group, partitions);
  }

  async join(options: JoinOptions) {
    options.topics.forEach((topic) => this.#topics.get(topic));
    return this.#groups.join(options);
  }

  async check(): Promise<void> {
    if (this.#closed) {
      throw new BridgeError(503, "The log is closed");
    }
  }

  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    clearInterval(this.#timer);
    for (const topic of this.#topics) {
      topic.list.forEach((partition) => partition.wake());
      await Promise.all(topic.list.map((partition) => partition.close()));
    }
    await this.#release();
  }

  /** Throws where a position cannot be read at all. */
  #hasRecords(positions: readonly FetchPosition[]): boolean {
    const has = positions.map((position) => {
      const partition = this.#topics.locate(position);
      partition.checkOffset(position.offset);
      return position.offset < partition.latest;
    });
    return has.includes(true);
  }

  /** Ends when one of the partitions changes, at the timeout, or when the signal says so. */
  #change(positions: readonly FetchPosition[], { timeoutMs, signal }: FetchOptions): Promise<void> {
    if (timeoutMs <= 0 || signal.aborted || this.#closed) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        stops.forEach((stop) => stop());
        resolve();
      };
      const stops = positions.map((position) => this.#topics.locate(position).onChange(end));
      const timer = setTimeout(end, timeoutMs);
      signal.addEventListener("abort", end);
    });
  }
}

/** By the key's hash as every Kafka producer does it; records without a key go round. */
function choosePartition(topic: EmbeddedTopic, key: string | undefined): number {
  if (key !== undefined) {
    return partitionOf(key, topic.partitions);
  }
  topic.turn = (topic.turn + 1) % topic.partitions;
  return topic.turn;
}
