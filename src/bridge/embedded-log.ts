// The embedded log: a small durable partitioned log in a folder, for development and tests, and where there is no Kafka.
// One process owns the folder. Appends survive that process being killed.
import { randomBytes } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { partitionOf } from "../contract/partitioner.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Clock } from "../runtime/clock.ts";
import { EmbeddedGroups } from "./embedded-groups.ts";
import { EmbeddedPartition } from "./embedded-partition.ts";
import type { Retention } from "./embedded-partition.ts";
import { BridgeError, badRequest, topicChanged, unknownPartition, unknownTopic } from "./errors.ts";
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
/** Kafka's rule for topic names. */
const topicName = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;
/** The hosted service's bound. */
const MAX_PARTITIONS = 100;

const topicFile = z.object({ name: z.string(), topicId: z.string(), partitions: z.number().int().positive() });

/** Opens the log kept in a folder, or begins one there. Throws when another process holds the folder. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { folder, clock = systemClock, ...retention } = options;
  await mkdir(join(folder, "topics"), { recursive: true });
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

interface Topic extends TopicInfo {
  name: string;
  folder: string;
  list: EmbeddedPartition[];
  /** Where the next record without a key goes. */
  turn: number;
}

class FolderLog implements EmbeddedLog {
  readonly #folder: string;
  readonly #retention: Retention;
  readonly #clock: Clock;
  readonly #release: () => Promise<void>;
  readonly #topics = new Map<string, Topic>();
  readonly #groups: EmbeddedGroups;
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(folder: string, retention: Retention, clock: Clock, release: () => Promise<void>) {
    this.#folder = folder;
    this.#retention = retention;
    this.#clock = clock;
    this.#release = release;
    this.#groups = new EmbeddedGroups(join(folder, "offsets.jsonl"), (name) => this.#topics.get(name));
    this.#timer = setInterval(() => void this.applyRetention(), RETENTION_INTERVAL_MS).unref();
  }

  async load(): Promise<void> {
    const root = join(this.#folder, "topics");
    for (const entry of await readdir(root)) {
      if (entry.startsWith("deleted.")) {
        await rm(join(root, entry), { recursive: true, force: true });
        continue;
      }
      const text = await readFile(join(root, entry, "topic.json"), "utf8").catch(() => undefined);
      if (text !== undefined) {
        await this.#openTopic(join(root, entry), topicFile.parse(JSON.parse(text)));
      }
    }
    await this.#groups.load();
  }

  async createTopic(name: string, partitions: number): Promise<TopicInfo> {
    if (!topicName.test(name)) {
      throw badRequest(`Not a topic name: ${name}`);
    }
    if (!Number.isInteger(partitions) || partitions < 1 || partitions > MAX_PARTITIONS) {
      throw badRequest(`A topic has 1 to ${MAX_PARTITIONS} partitions`);
    }
    const existing = this.#topics.get(name);
    if (existing !== undefined) {
      if (existing.partitions !== partitions) {
        throw new BridgeError(409, `Topic ${name} exists with ${existing.partitions} partitions`);
      }
      return { topicId: existing.topicId, partitions };
    }
    const topicId = randomBytes(16).toString("base64url");
    // Named by id too: a recreated topic must not meet the files of the one being removed.
    const folder = join(this.#folder, "topics", `${name}.${topicId}`);
    await mkdir(folder, { recursive: true });
    await this.#writeTopicFile(folder, { name, topicId, partitions });
    await this.#openTopic(folder, { name, topicId, partitions });
    return { topicId, partitions };
  }

  async addPartitions(name: string, total: number): Promise<void> {
    const topic = this.#topicOf(name);
    if (!Number.isInteger(total) || total <= topic.partitions || total > MAX_PARTITIONS) {
      throw badRequest(`Topic ${name} has ${topic.partitions} partitions; the most is ${MAX_PARTITIONS}`);
    }
    await this.#writeTopicFile(topic.folder, { name, topicId: topic.topicId, partitions: total });
    for (let partition = topic.partitions; partition < total; partition++) {
      topic.list.push(await this.#openPartition(topic.folder, name, partition));
    }
    topic.partitions = total;
  }

  async deleteTopic(name: string): Promise<void> {
    const topic = this.#topicOf(name);
    this.#topics.delete(name);
    const gone = join(this.#folder, "topics", `deleted.${topic.topicId}`);
    await rename(topic.folder, gone);
    for (const partition of topic.list) {
      partition.wake();
      await partition.abandon();
    }
    await rm(gone, { recursive: true, force: true });
  }

  async applyRetention(): Promise<void> {
    const now = this.#clock.now();
    for (const topic of this.#topics.values()) {
      await Promise.all(topic.list.map((partition) => partition.applyRetention(now)));
    }
  }

  async topics(): Promise<Map<string, TopicInfo>> {
    const infos = new Map<string, TopicInfo>();
    for (const [name, { topicId, partitions }] of this.#topics) {
      infos.set(name, { topicId, partitions });
    }
    return infos;
  }

  async topic(name: string): Promise<TopicInfo | undefined> {
    const topic = this.#topics.get(name);
    return topic && { topicId: topic.topicId, partitions: topic.partitions };
  }

  async produce(records: readonly NewRecord[]): Promise<RecordMetadata[]> {
    const batches = new Map<EmbeddedPartition, number[]>();
    records.forEach((record, i) => {
      const topic = this.#topicOf(record.topic);
      const partition = this.#partitionOf(topic, record.partition ?? choosePartition(topic, record.key));
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
      const partition = this.#locate(position);
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
        ...read,
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
      offset: this.#locate({ topic, partition }).offsetAt(at),
    }));
  }

  async commit(group: string, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    offsets.forEach((each) => this.#locate(each));
    this.#groups.commit(group, offsets);
  }

  async committed(group: string, partitions: readonly TopicPartition[]): Promise<TopicPartitionOffset[]> {
    partitions.forEach((each) => this.#locate(each));
    return this.#groups.committed(group, partitions);
  }

  async join(options: JoinOptions) {
    options.topics.forEach((topic) => this.#topicOf(topic));
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
    for (const topic of this.#topics.values()) {
      topic.list.forEach((partition) => partition.wake());
      await Promise.all(topic.list.map((partition) => partition.close()));
    }
    await this.#release();
  }

  #topicOf(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) {
      throw unknownTopic(name);
    }
    return topic;
  }

  #partitionOf(topic: Topic, partition: number): EmbeddedPartition {
    const found = topic.list[partition];
    if (found === undefined) {
      throw unknownPartition(topic.name, partition);
    }
    return found;
  }

  #locate({ topic: name, partition, topicId }: TopicPartition & { topicId?: string | undefined }): EmbeddedPartition {
    const topic = this.#topics.get(name);
    if (topicId !== undefined && topic?.topicId !== topicId) {
      throw topicChanged(name, topicId);
    }
    return this.#partitionOf(topic ?? this.#topicOf(name), partition);
  }

  /** Throws where a position cannot be read at all. */
  #hasRecords(positions: readonly FetchPosition[]): boolean {
    const has = positions.map((position) => {
      const partition = this.#locate(position);
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
      const stops = positions.map((position) => this.#locate(position).onChange(end));
      const timer = setTimeout(end, timeoutMs);
      signal.addEventListener("abort", end);
    });
  }

  async #openTopic(folder: string, topic: z.infer<typeof topicFile>): Promise<void> {
    const list: EmbeddedPartition[] = [];
    for (let partition = 0; partition < topic.partitions; partition++) {
      list.push(await this.#openPartition(folder, topic.name, partition));
    }
    this.#topics.set(topic.name, { ...topic, folder, list, turn: 0 });
  }

  #openPartition(folder: string, topic: string, partition: number): Promise<EmbeddedPartition> {
    return EmbeddedPartition.open({ topic, partition }, join(folder, String(partition)), this.#retention);
  }

  /** Renamed into place: a killed process leaves the old file or the new one. */
  async #writeTopicFile(folder: string, topic: z.infer<typeof topicFile>): Promise<void> {
    const path = join(folder, "topic.json");
    await writeFile(`${path}.new`, JSON.stringify(topic));
    await rename(`${path}.new`, path);
  }
}

/** By the key's hash as every Kafka producer does it; records without a key go round. */
function choosePartition(topic: Topic, key: string | undefined): number {
  if (key !== undefined) {
    return partitionOf(key, topic.partitions);
  }
  topic.turn = (topic.turn + 1) % topic.partitions;
  return topic.turn;
}
