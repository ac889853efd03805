// The log behind the bridge: topics that can be recreated, partitions with retention, long polls, and outages. The
// reader's view of one partition behaves like the stock client: it retries for seconds and cannot be called off.
import type { LogRecord, PartitionBounds, RecordSource } from "../../src/consumer/ports.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { Life } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";

/** How long the stock client tries before it gives up: 0.5 + 1 + 2 + 4 + 8 s and the tries themselves. */
const CLIENT_RETRIES_MS = 15_500;

/** One partition: every record ever appended, of which those below `earliest` can no longer be read. */
export class SimulatedPartition {
  readonly records: LogRecord[] = [];
  earliest = 0;
  readonly #waiting = new Set<() => void>();

  get latest(): number {
    return this.records.length;
  }

  append(timestamp: number, key: string, value: string): void {
    this.records.push({ offset: this.records.length, timestamp, key, value });
    const waiting = Array.from(this.#waiting);
    for (const wake of waiting) {
      wake();
    }
  }

  /** Calls `wake` once at the next record; the returned function calls it off. */
  onAppend(wake: () => void): () => void {
    const once = () => {
      this.#waiting.delete(once);
      wake();
    };
    this.#waiting.add(once);
    return () => this.#waiting.delete(once);
  }
}

/** One topic under one id. */
export class SimulatedTopic {
  readonly topicId: string;
  readonly partitions: SimulatedPartition[];

  constructor(topicId: string, partitions: number) {
    this.topicId = topicId;
    this.partitions = Array.from({ length: partitions }, () => new SimulatedPartition());
  }

  /** Adds a partition: keys fall elsewhere from now on. */
  grow(): void {
    this.partitions.push(new SimulatedPartition());
  }
}

/** All topics by name. */
export class SimulatedLog {
  readonly topics = new Map<string, SimulatedTopic>();
  /** Until when the bridge does not answer. */
  downUntil = 0;
  #created = 0;

  /** Creates a topic, or deletes and creates it again, empty and under another id. */
  create(name: string, partitions: number): SimulatedTopic {
    const topic = new SimulatedTopic(`topic-${this.#created++}`, partitions);
    this.topics.set(name, topic);
    return topic;
  }
}

/** A failure as the REST client reports it. */
export class RestError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What the view of a partition depends on. */
export interface SourceSurroundings {
  readonly log: SimulatedLog;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly faults: () => Faults;
  /** Told what is asked for of which topic, and what the earliest offset is then. */
  readonly fetches: (topicId: string, offset: number, earliest: number) => void;
  /** Told the new committed offset. */
  readonly committed: (offset: number) => void;
}

/** One reader's view of its topic-partition. */
export class SimulatedSource implements RecordSource {
  readonly #life: Life;
  readonly #name: string;
  readonly #partition: number;
  readonly #world: SourceSurroundings;

  constructor(life: Life, name: string, partition: number, world: SourceSurroundings) {
    this.#life = life;
    this.#name = name;
    this.#partition = partition;
    this.#world = world;
  }

  fetch(topicId: string, offset: number, waitMs: number): Promise<readonly LogRecord[]> {
    return this.#poll(topicId, offset, waitMs, CLIENT_RETRIES_MS, null);
  }

  fetchOnce(topicId: string, offset: number, waitMs: number, signal: AbortSignal): Promise<readonly LogRecord[]> {
    return this.#poll(topicId, offset, waitMs, 0, signal);
  }

  bounds(signal: AbortSignal): Promise<PartitionBounds | null> {
    return this.#plain(signal, () => {
      const topic = this.#world.log.topics.get(this.#name);
      const partition = topic?.partitions[this.#partition];
      return topic && partition
        ? {
            topicId: topic.topicId,
            partitions: topic.partitions.length,
            earliest: partition.earliest,
            latest: partition.latest,
          }
        : null;
    });
  }

  offsetAt(topicId: string, timestampMs: number, signal: AbortSignal): Promise<number> {
    return this.#plain(signal, () => {
      const partition = this.#of(topicId);
      const first = partition.records.findIndex(
        (record) => record.offset >= partition.earliest && record.timestamp >= timestampMs,
      );
      return first === -1 ? partition.latest : first;
    });
  }

  commit(offset: number, signal: AbortSignal): Promise<void> {
    this.#world.committed(offset);
    return this.#plain(signal, () => undefined);
  }

  #of(topicId: string): SimulatedPartition {
    const topic = this.#world.log.topics.get(this.#name);
    const partition = topic?.partitions[this.#partition];
    if (!topic || !partition || topic.topicId !== topicId) {
      throw new RestError(409, "the topic is another one");
    }
    return partition;
  }

  #fails(): RestError | null {
    const { log, scheduler, chance, faults } = this.#world;
    return scheduler.now() < log.downUntil || chance.happens(faults().failedFetch)
      ? new RestError(503, "the bridge does not answer")
      : null;
  }

  #plain<T>(signal: AbortSignal, answer: () => T): Promise<T> {
    const { scheduler, chance } = this.#world;
    return this.#life.promise<T>((resolve, reject) => {
      const cancel = scheduler.after(chance.between(1, 20), () => {
        const failure = this.#fails();
        try {
          if (failure) {
            throw failure;
          }
          resolve(answer());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      abortable(signal, cancel, reject);
    });
  }

  #poll(
    topicId: string,
    offset: number,
    waitMs: number,
    retriesMs: number,
    signal: AbortSignal | null,
  ): Promise<readonly LogRecord[]> {
    const { scheduler, chance } = this.#world;
    const retryUntil = scheduler.now() + retriesMs;
    return this.#life.promise((resolve, reject) => {
      let stop = nothing;
      const attempt = () => {
        if (!this.#life.alive) {
          return;
        }
        const failure = this.#fails() ?? this.#refuses(topicId, offset);
        if (failure !== null) {
          if (scheduler.now() < retryUntil) {
            stop = scheduler.after(Math.min(2_000, retryUntil - scheduler.now()), attempt);
          } else {
            reject(failure);
          }
          return;
        }
        const partition = this.#of(topicId);
        this.#world.fetches(topicId, offset, partition.earliest);
        const answer = () => {
          const records = partition.records.slice(offset, offset + chance.between(1, 12));
          stop = scheduler.after(chance.between(1, 20), () => resolve(records));
        };
        if (partition.latest > offset) {
          answer();
          return;
        }
        const forget = partition.onAppend(() => {
          expire();
          answer();
        });
        const expire = scheduler.after(waitMs, () => {
          forget();
          resolve([]);
        });
        stop = () => {
          forget();
          expire();
        };
      };
      stop = scheduler.after(chance.between(1, 20), attempt);
      if (signal) {
        abortable(signal, () => stop(), reject);
      }
    });
  }

  #refuses(topicId: string, offset: number): RestError | null {
    try {
      const partition = this.#of(topicId);
      return offset < partition.earliest || offset > partition.latest
        ? new RestError(416, "offset out of range")
        : null;
    } catch (error) {
      return error instanceof RestError ? error : new RestError(500, String(error));
    }
  }
}

function nothing(): void {
  // Nothing to call off yet.
}

function abortable(signal: AbortSignal, cancel: () => void, reject: (error: Error) => void): void {
  const abort = () => {
    cancel();
    reject(new Error("aborted"));
  };
  if (signal.aborted) {
    abort();
  } else {
    signal.addEventListener("abort", abort, { once: true });
  }
}
