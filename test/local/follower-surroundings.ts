// A log and a history in memory for tests of the follower.
import type { FollowedLog, LogTopics } from "../../src/local/follower/log-client.ts";
import type { History } from "../../src/local/follower/history.ts";
import type { PendingInsert } from "../../src/local/follower/ledger.ts";
import type { FollowedRecord } from "../../src/local/follower/tally.ts";

/** A log whose records a test appends. */
export class ScriptedLog implements FollowedLog {
  readonly #topics: { engagement: string; subscription: string };
  readonly #records = new Map<string, FollowedRecord[]>();
  readonly #earliest = new Map<string, number>();
  readonly #partitions: number;
  #topicId = "topic-1";
  #events = 0;

  constructor(topics: { engagement: string; subscription: string }, partitions: number) {
    this.#topics = topics;
    this.#partitions = partitions;
  }

  /** Appends an engagement event of creator `crt_a` and item `cnt_1` unless the fields say otherwise. */
  engagement(partition: number, at: number, fields: Record<string, unknown>): void {
    this.append(this.#topics.engagement, partition, at, {
      eventId: `e${this.#events++}`,
      contentId: "cnt_1",
      creatorId: "crt_a",
      sessionId: "s",
      occurredAt: new Date(at).toISOString(),
      country: "NG",
      device: "mobile",
      ...fields,
    });
  }

  /** Appends a subscription change of creator `crt_a` unless the fields say otherwise. */
  subscription(at: number, fields: Record<string, unknown>): void {
    this.append(this.#topics.subscription, 0, at, {
      eventId: `e${this.#events++}`,
      creatorId: "crt_a",
      occurredAt: new Date(at).toISOString(),
      ...fields,
    });
  }

  /** Appends any value. */
  append(topic: string, partition: number, timestamp: number, value: unknown): void {
    const records = this.#of(topic, partition);
    const offset = (records.at(-1)?.offset ?? -1) + 1;
    records.push({ offset, timestamp, value: typeof value === "string" ? value : JSON.stringify(value) });
  }

  /** Forgets a partition's records below `offset`, as retention does. */
  retain(topic: string, partition: number, offset: number): void {
    this.#earliest.set(`${topic}:${partition}`, offset);
  }

  /** Deletes and creates every topic again, empty. */
  recreate(): void {
    this.#topicId = "topic-2";
    this.#records.clear();
    this.#earliest.clear();
  }

  topics(): Promise<LogTopics> {
    const detail = (topic: string, partitions: number) => ({
      topicId: this.#topicId,
      partitions: Array.from({ length: partitions }, (_, partition) => ({
        partition,
        earliest: this.#earliest.get(`${topic}:${partition}`) ?? 0,
        latest: this.#of(topic, partition).length,
      })),
    });
    return Promise.resolve({
      [this.#topics.engagement]: detail(this.#topics.engagement, this.#partitions),
      [this.#topics.subscription]: detail(this.#topics.subscription, 1),
    });
  }

  fetch(at: { topic: string; topicId: string; partition: number; offset: number }): Promise<readonly FollowedRecord[]> {
    if (at.topicId !== this.#topicId) {
      return Promise.reject(new Error("another topic"));
    }
    // Three at a time, so that a batch takes several fetches.
    return Promise.resolve(this.#of(at.topic, at.partition).slice(at.offset, at.offset + 3));
  }

  #of(topic: string, partition: number): FollowedRecord[] {
    const key = `${topic}:${partition}`;
    const records = this.#records.get(key) ?? [];
    this.#records.set(key, records);
    return records;
  }
}

/** A history that takes a token once, as ClickHouse does, and sums up what it took. */
export class RememberedHistory implements History {
  readonly inserts = new Map<string, PendingInsert>();
  readonly progressed = new Map<string, number>();

  insert(insert: PendingInsert): Promise<void> {
    const known = this.inserts.get(insert.token);
    if (known && JSON.stringify(known.rows) !== JSON.stringify(insert.rows)) {
      return Promise.reject(new Error(`${insert.token} came again with other rows`));
    }
    this.inserts.set(insert.token, insert);
    return Promise.resolve();
  }

  progress(source: string, completeThrough: number, _now: number): Promise<void> {
    this.progressed.set(source, completeThrough);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Every row that was taken. */
  rows(table: string): Readonly<Record<string, string | number>>[] {
    return [...this.inserts.values()].filter((insert) => insert.table === table).flatMap((insert) => [...insert.rows]);
  }

  /** The numeric columns of each table, summed. */
  sums(): Record<string, Record<string, number>> {
    const sums: Record<string, Record<string, number>> = {};
    for (const { table, rows } of this.inserts.values()) {
      const sum = (sums[table] ??= {});
      for (const [column, value] of rows.flatMap((row) => Object.entries(row))) {
        if (typeof value === "number" && column !== "count") {
          sum[column] = (sum[column] ?? 0) + value;
        }
      }
    }
    return sums;
  }
}
