// What topics there are, and which broker leads which partition: read when needed, kept for a few seconds.
import { z } from "zod";
import { unknownPartition, unknownTopic } from "./errors.ts";
import { hasKafkaCode, persist } from "./kafka-errors.ts";
import type { KafkaClient, MetadataResponse } from "./kafka-client.ts";
import type { TopicPartition } from "./log.ts";

/** A topic as a broker last described it. */
export interface KafkaTopic {
  name: string;
  /** As on the wire: hexadecimal with hyphens. */
  uuid: string;
  /** As Kafka's tools print it. */
  topicId: string;
  /** By partition: the leader's address; undefined while there is none. */
  leaders: ({ host: string; port: number } | undefined)[];
}

/** Kafka's own default is five minutes; a reader should see new partitions, and a recreated topic, sooner. */
const MAX_AGE_MS = 5_000;

/**
 * How long the first try waits for a broker, milliseconds, doubled with every further one: half of the contract's default
 * timeout of a fetch, so that a broker that hangs leaves time to ask another, and a slow cluster is waited for in the end.
 */
const PATIENCE_MS = 500;
const MOST_DOUBLINGS = 5;

const response = z.object({
  brokers: z.array(z.object({ nodeId: z.number(), host: z.string(), port: z.number() })),
  topics: z.array(
    z.object({
      errorCode: z.number(),
      name: z.string().nullable(),
      topicId: z.string().optional(),
      isInternal: z.boolean().default(false),
      partitions: z.array(z.object({ partitionIndex: z.number(), leaderId: z.number() })),
    }),
  ),
});

/** `UNKNOWN_TOPIC_OR_PARTITION`, `TOPIC_AUTHORIZATION_FAILED`, `INVALID_TOPIC_EXCEPTION`: no such topic for us. */
const absent = new Set([3, 17, 29]);

/** Topics by name, read on demand. */
export class KafkaMetadata {
  readonly #client: KafkaClient;
  readonly #known = new Map<string, { topic: KafkaTopic; readAt: number }>();
  readonly #reading = new Map<string, Promise<KafkaTopic[]>>();

  constructor(client: KafkaClient) {
    this.#client = client;
  }

  /** A topic, at most a few seconds old, or just read when `fresh`; undefined when there is none. */
  async topic(name: string, deadline: AbortSignal, { fresh = false } = {}): Promise<KafkaTopic | undefined> {
    const known = this.#known.get(name);
    if (!fresh && known !== undefined && performance.now() - known.readAt < MAX_AGE_MS) {
      return known.topic;
    }
    const [topic] = await persist(deadline, (tries) => this.#readOnce([name], tries));
    return topic;
  }

  /** The topics of some partitions. Throws a 404, after asking anew, for a topic or a partition that does not exist. */
  async require(partitions: readonly TopicPartition[], deadline: AbortSignal): Promise<Map<string, KafkaTopic>> {
    const topics = new Map<string, KafkaTopic>();
    for (const { topic: name, partition } of partitions) {
      let topic = topics.get(name) ?? (await this.topic(name, deadline));
      if (topic === undefined || partition >= topic.leaders.length) {
        topic = await this.topic(name, deadline, { fresh: true });
      }
      if (topic === undefined) {
        throw unknownTopic(name);
      }
      if (partition >= topic.leaders.length) {
        throw unknownPartition(name, partition);
      }
      topics.set(name, topic);
    }
    return topics;
  }

  /** Asks anew after a failure. Throws a 404 where a topic or a partition is gone, which then is what went wrong. */
  async confirm(partitions: readonly TopicPartition[], deadline: AbortSignal): Promise<void> {
    partitions.forEach(({ topic }) => this.forget(topic));
    await this.require(partitions, deadline);
  }

  /** Every topic that is not Kafka's own. */
  all(deadline: AbortSignal): Promise<KafkaTopic[]> {
    return persist(deadline, (tries) => this.#readOnce(null, tries));
  }

  /** Whether a broker answers. Throws a 503 when none does. */
  async check(deadline: AbortSignal): Promise<void> {
    await persist(deadline, (tries) => this.#readOnce([], tries));
  }

  /** Forgets what is known of a topic: its leader, or the topic itself, is not where it was. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  /** Callers that want the same share one request. */
  #readOnce(names: string[] | null, tries: number): Promise<KafkaTopic[]> {
    const key = JSON.stringify(names);
    const reading = this.#reading.get(key) ?? this.#read(names, tries).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #read(names: string[] | null, tries: number): Promise<KafkaTopic[]> {
    const { brokers, topics } = response.parse(
      await this.#ask(names, PATIENCE_MS * 2 ** Math.min(tries, MOST_DOUBLINGS)),
    );
    this.#client.brokers.learn(brokers);
    const found = topics.flatMap(({ name, topicId: uuid = "", isInternal, partitions, errorCode }) => {
      if (name === null || isInternal || absent.has(errorCode)) {
        return [];
      }
      const leaders: KafkaTopic["leaders"] = [];
      for (const { partitionIndex, leaderId } of partitions) {
        const broker = brokers.find(({ nodeId }) => nodeId === leaderId);
        leaders[partitionIndex] = broker && { host: broker.host, port: broker.port };
      }
      return [{ name, uuid, topicId: printedId(uuid), leaders }];
    });
    names?.forEach((name) => this.#known.delete(name));
    for (const topic of found) {
      this.#known.set(topic.name, { topic, readAt: performance.now() });
    }
    return found;
  }

  /** Asks the broker whose turn it is; one that takes too long loses it, and the error asks for another try. */
  async #ask(names: string[] | null, patienceMs: number): Promise<MetadataResponse> {
    const { admin, brokers } = this.#client;
    const asked = brokers.first;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(Object.assign(new Error("a broker does not answer"), { syscall: "metadata" }));
      brokers.passOver(asked, admin);
    }, patienceMs);
    try {
      return await Promise.race([this.#answer(names), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #answer(names: string[] | null): Promise<MetadataResponse> {
    const connection = await this.#client.anyBroker();
    const api = await this.#client.metadataApi();
    return api.async(connection, names, false, false).catch((error: unknown) => partialAnswer(error));
  }
}

/**
 * One topic or partition with an error makes the library reject the whole answer, which it keeps in the error: the others
 * are still true, and a partition without a leader is a state like any other.
 */
function partialAnswer(error: unknown): MetadataResponse {
  if (error instanceof Error && "response" in error && !hasKafkaCode(error, "SASL_AUTHENTICATION_FAILED")) {
    // Checked by the schema right after.
    return error.response as MetadataResponse;
  }
  throw error;
}

/** A UUID as Kafka's tools print it: base64url without padding. */
function printedId(uuid: string): string {
  const hex = uuid.replaceAll("-", "");
  // Brokers without topic ids (before 2.8) leave the name in their place.
  return /^[0-9a-f]{32}$/i.test(hex) ? Buffer.from(hex, "hex").toString("base64url") : uuid;
}
