// The topics of an embedded log: one folder each, with its partitions. Created, enlarged and deleted so that a killed
// process leaves either what was before or what is after.
import { randomBytes } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { EmbeddedPartition } from "./embedded-partition.ts";
import type { Retention } from "./embedded-partition.ts";
import { BridgeError, badRequest, topicChanged, unknownPartition, unknownTopic } from "./errors.ts";
import type { TopicInfo, TopicPartition } from "./log.ts";

/** Kafka's rule for topic names. */
const topicName = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;
/** The hosted service's bound. */
const MAX_PARTITIONS = 100;

const topicFile = z.object({ name: z.string(), topicId: z.string(), partitions: z.number().int().positive() });

/** A topic that is there. */
export interface EmbeddedTopic extends TopicInfo {
  name: string;
  folder: string;
  list: EmbeddedPartition[];
  /** Where the next record without a key goes. */
  turn: number;
}

/** Every topic of a log. */
export class EmbeddedTopics {
  readonly #folder: string;
  readonly #retention: Retention;
  readonly #topics = new Map<string, EmbeddedTopic>();

  /** @param folder the log's own; topics are kept in one below it */
  constructor(folder: string, retention: Retention) {
    this.#folder = join(folder, "topics");
    this.#retention = retention;
  }

  /** Opens what is there, and removes what a killed process had begun to delete. */
  async load(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const entry of await readdir(this.#folder)) {
      if (entry.startsWith("deleted.")) {
        await rm(join(this.#folder, entry), { recursive: true, force: true });
        continue;
      }
      const text = await readFile(join(this.#folder, entry, "topic.json"), "utf8").catch(() => undefined);
      if (text !== undefined) {
        await this.#openTopic(join(this.#folder, entry), topicFile.parse(JSON.parse(text)));
      }
    }
  }

  find(name: string): EmbeddedTopic | undefined {
    return this.#topics.get(name);
  }

  /** Throws a 404 where there is none. */
  get(name: string): EmbeddedTopic {
    const topic = this.#topics.get(name);
    if (topic === undefined) {
      throw unknownTopic(name);
    }
    return topic;
  }

  /** Throws a 404 for a topic or partition that is not there, a 409 where the topic has another id. */
  locate({ topic: name, partition, topicId }: TopicPartition & { topicId?: string | undefined }): EmbeddedPartition {
    const topic = this.#topics.get(name);
    if (topicId !== undefined && topic?.topicId !== topicId) {
      throw topicChanged(name, topicId);
    }
    return partitionIn(topic ?? this.get(name), partition);
  }

  [Symbol.iterator](): Iterator<EmbeddedTopic> {
    return this.#topics.values();
  }

  /** See {@link EmbeddedLog.createTopic}. */
  async create(name: string, partitions: number): Promise<TopicInfo> {
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
    const folder = join(this.#folder, `${name}.${topicId}`);
    await mkdir(folder, { recursive: true });
    await this.#writeTopicFile(folder, { name, topicId, partitions });
    await this.#openTopic(folder, { name, topicId, partitions });
    return { topicId, partitions };
  }

  /** See {@link EmbeddedLog.addPartitions}. */
  async addPartitions(name: string, total: number): Promise<void> {
    const topic = this.get(name);
    if (!Number.isInteger(total) || total <= topic.partitions || total > MAX_PARTITIONS) {
      throw badRequest(`Topic ${name} has ${topic.partitions} partitions; the most is ${MAX_PARTITIONS}`);
    }
    await this.#writeTopicFile(topic.folder, { name, topicId: topic.topicId, partitions: total });
    for (let partition = topic.partitions; partition < total; partition++) {
      topic.list.push(await this.#openPartition(topic.folder, name, partition));
    }
    topic.partitions = total;
  }

  /** See {@link EmbeddedLog.deleteTopic}. */
  async delete(name: string): Promise<void> {
    const topic = this.get(name);
    this.#topics.delete(name);
    const gone = join(this.#folder, `deleted.${topic.topicId}`);
    await rename(topic.folder, gone);
    for (const partition of topic.list) {
      partition.wake();
      await partition.abandon();
    }
    await rm(gone, { recursive: true, force: true });
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

/** Throws a 404 where the topic has no such partition. */
export function partitionIn(topic: EmbeddedTopic, partition: number): EmbeddedPartition {
  const found = topic.list[partition];
  if (found === undefined) {
    throw unknownPartition(topic.name, partition);
  }
  return found;
}
