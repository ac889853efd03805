// What the bridge measures, in Prometheus' text format.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Clock } from "../runtime/clock.ts";
import type { FetchedPartition, Log, TopicPartition, TopicPartitionOffset } from "./log.ts";

/** How many partitions' lag is asked for when the metrics are read. */
const MAX_LAG_PARTITIONS = 1_000;
/** A scrape must not wait for a Kafka that is away, milliseconds. */
const LAG_DEADLINE_MS = 2_000;

/** How long a partition's lag is told after its last fetch: more than any poll and any pause between polls, milliseconds. */
const LAG_KEPT_MS = 5 * 60_000;

/** Where the last fetch of a partition ended, of which topic, and when. */
interface Reached extends TopicPartitionOffset {
  topicId: string | undefined;
  at: number;
}

const keyOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

/** The measures of one bridge. Measuring never makes a request fail. */
export class BridgeMetrics {
  readonly #registry = new Registry();
  readonly #log: Log;
  readonly #requests: Counter<"endpoint" | "status">;
  readonly #seconds: Histogram<"endpoint">;
  readonly #records: Counter<"topic" | "direction">;
  readonly #lag: Gauge<"topic" | "partition">;
  readonly #clock: Clock;
  readonly #reached = new Map<string, Reached>();

  constructor(log: Log, clock: Clock, now: { polls: () => number; instances: () => number }) {
    this.#log = log;
    this.#clock = clock;
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry, prefix: "bridge_" });
    this.#requests = new Counter({
      name: "bridge_requests_total",
      help: "Requests answered, by endpoint and status.",
      labelNames: ["endpoint", "status"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "bridge_request_seconds",
      help: "Time to answer, by endpoint; polls include their waiting.",
      labelNames: ["endpoint"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25],
      registers,
    });
    this.#records = new Counter({
      name: "bridge_records_total",
      help: "Records taken (in) and given (out), by topic.",
      labelNames: ["topic", "direction"],
      registers,
    });
    this.#lag = new Gauge({
      name: "bridge_read_lag_records",
      help: "Records between where the last read through this process ended and the partition's end.",
      labelNames: ["topic", "partition"],
      registers,
    });
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    gauge("bridge_polls_in_flight", "Fetches and consumes being answered now.", now.polls);
    gauge("bridge_consumer_instances", "Consumer instances held by this process.", now.instances);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  answered(endpoint: string, status: number, seconds: number): void {
    harmlessly(() => {
      this.#requests.inc({ endpoint, status });
      this.#seconds.observe({ endpoint }, seconds);
    });
  }

  produced(records: readonly TopicPartition[]): void {
    harmlessly(() => {
      for (const [topic, { length }] of Map.groupBy(records, (record) => record.topic)) {
        this.#records.inc({ topic, direction: "in" }, length);
      }
    });
  }

  fetched(partitions: readonly FetchedPartition[]): void {
    harmlessly(() => {
      for (const { topic, partition, topicId, count, nextOffset } of partitions) {
        if (count > 0) {
          this.#records.inc({ topic, direction: "out" }, count);
        }
        const at = this.#clock.now();
        this.#reached.set(keyOf({ topic, partition }), { topic, partition, topicId, offset: nextOffset, at });
      }
    });
  }

  /** The metrics as text, of topics that the caller may use; lag is missing while the log does not answer. */
  async text(mayUse: (topic: string) => boolean): Promise<string> {
    const latest = await this.#latest();
    this.#lag.reset();
    for (const { topic, partition, offset } of latest) {
      const reached = this.#reached.get(keyOf({ topic, partition }))?.offset ?? offset;
      this.#lag.set({ topic, partition }, Math.max(0, offset - reached));
    }
    const lines = (await this.#registry.metrics()).split("\n");
    return lines
      .filter((line) => {
        const topic = /[{,]topic="([^"]*)"/.exec(line)?.[1];
        return topic === undefined || mayUse(topic);
      })
      .join("\n");
  }

  /** The ends of the partitions that are read, and still are what was read. */
  async #latest(): Promise<TopicPartitionOffset[]> {
    const deadline = AbortSignal.timeout(LAG_DEADLINE_MS);
    const known = await this.#log.topics(deadline).catch(() => undefined);
    if (known === undefined) {
      return [];
    }
    for (const [key, { topic, topicId, partition, at }] of this.#reached) {
      const info = known.get(topic);
      const isSame = info !== undefined && info.topicId === (topicId ?? info.topicId) && partition < info.partitions;
      if (!isSame || this.#clock.now() - at > LAG_KEPT_MS) {
        this.#reached.delete(key);
      }
    }
    // A partition that fails, because it went just now, hides only itself.
    const ask = async (partitions: Reached[]): Promise<TopicPartitionOffset[]> => {
      try {
        return await this.#log.offsets(partitions, "latest", deadline);
      } catch {
        return partitions.length > 1 ? (await Promise.all(partitions.map((each) => ask([each])))).flat() : [];
      }
    };
    return ask([...this.#reached.values()].slice(0, MAX_LAG_PARTITIONS));
  }
}

function harmlessly(measure: () => void): void {
  try {
    measure();
  } catch {
    // A measure less.
  }
}
