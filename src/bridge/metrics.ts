// What the bridge measures, in Prometheus' text format.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { FetchedPartition, Log, TopicPartition, TopicPartitionOffset } from "./log.ts";

/** How many partitions' lag is asked for when the metrics are read. */
const MAX_LAG_PARTITIONS = 1_000;
/** A scrape must not wait for a Kafka that is away, milliseconds. */
const LAG_DEADLINE_MS = 2_000;

/** The measures of one bridge. */
export class BridgeMetrics {
  readonly #registry = new Registry();
  readonly #log: Log;
  readonly #requests: Counter<"endpoint" | "status">;
  readonly #seconds: Histogram<"endpoint">;
  readonly #records: Counter<"topic" | "direction">;
  readonly #lag: Gauge<"topic" | "partition">;
  /** Where the last fetch of each partition ended. */
  readonly #reached = new Map<string, TopicPartitionOffset>();

  constructor(log: Log, now: { polls: () => number; instances: () => number }) {
    this.#log = log;
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
    this.#requests.inc({ endpoint, status });
    this.#seconds.observe({ endpoint }, seconds);
  }

  produced(records: readonly TopicPartition[]): void {
    for (const [topic, { length }] of Map.groupBy(records, (record) => record.topic)) {
      this.#records.inc({ topic, direction: "in" }, length);
    }
  }

  fetched(partitions: readonly FetchedPartition[]): void {
    for (const { topic, partition, count, nextOffset } of partitions) {
      if (count > 0) {
        this.#records.inc({ topic, direction: "out" }, count);
      }
      this.#reached.set(`${topic}/${partition}`, { topic, partition, offset: nextOffset });
    }
  }

  /** The metrics as text; lag is missing while the log does not answer. */
  async text(): Promise<string> {
    this.#lag.reset();
    const reached = [...this.#reached.values()].slice(0, MAX_LAG_PARTITIONS);
    const deadline = AbortSignal.timeout(LAG_DEADLINE_MS);
    const known = await this.#log.topics(deadline).catch(() => undefined);
    for (const { topic, partition } of reached.filter((each) => known?.has(each.topic) === false)) {
      this.#reached.delete(`${topic}/${partition}`);
    }
    const present = reached.filter(({ topic }) => known?.has(topic) === true);
    const latest = await this.#log.offsets(present, "latest", deadline).catch(() => []);
    latest.forEach(({ topic, partition, offset }, i) => {
      this.#lag.set({ topic, partition }, Math.max(0, offset - (present[i]?.offset ?? offset)));
    });
    return this.#registry.metrics();
  }
}
