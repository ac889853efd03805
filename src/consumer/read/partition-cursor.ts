// Reading one topic-partition from an offset: one call outstanding, the next one sent before the last one's records are
// folded, a deadline on each, and after a failure a probe that tells an outage from a recreated topic, a gap or a stop.
import type { Clock } from "../../runtime/clock.ts";
import { backoff, sleep, withDeadline } from "../../runtime/deadline.ts";
import type { Timers } from "../../runtime/timers.ts";
import type { LogRecord, PartitionBounds, RecordSource } from "../ports.ts";
import { checkRecords } from "./check-records.ts";

/** How long the bridge may wait for a record: short, so that a quiet partition is known to be quiet. */
export const FETCH_WAIT_MS = 2_000;
/** A fetch that took this long has failed: the stock client retries for 15 s behind our back. */
const FETCH_DEADLINE_MS = FETCH_WAIT_MS + 3_000;
const PROBE_DEADLINE_MS = 3_000;
const FIRST_RETRY_MS = 250;
const MOST_RETRY_MS = 5_000;
/** The log must be seen ending before the cursor this often in a row: a new leader may lag for a moment. */
const BEYOND_SIGHTINGS = 3;
/** A bridge that answers "nothing yet" at once must not be asked in a tight loop. */
const LEAST_EMPTY_MS = 100;

/** What a read found. */
export type Read =
  | { readonly kind: "records"; readonly records: readonly LogRecord[] }
  /** Nothing at the cursor: the reader has caught up. */
  | { readonly kind: "empty" }
  /** It failed or was only a probe; waiting has been done: read again. */
  | { readonly kind: "again" }
  /** The topic has another id: it was recreated. */
  | { readonly kind: "recreated"; readonly bounds: PartitionBounds }
  /** Retention removed records that were not read. */
  | { readonly kind: "lost"; readonly bounds: PartitionBounds }
  /** The log ends before the cursor: what was read is gone, and only an operator can say why. */
  | { readonly kind: "beyond"; readonly bounds: PartitionBounds };

interface Ports {
  readonly records: RecordSource;
  readonly timers: Timers;
  readonly clock: Clock;
}

/** A position in one topic-partition. */
export class PartitionCursor {
  readonly #ports: Ports;
  #topicId: string;
  #offset: number;
  #mustProbe = true;
  #failures = 0;
  #beyondSightings = 0;
  /** `isBusy` until the stock client's last call has settled, abandoned or not, also under an earlier cursor. */
  readonly #client: { isBusy: boolean };
  #ahead: { readonly offset: number; readonly answer: Promise<readonly LogRecord[]> } | null = null;
  /** When a fetch last succeeded, wall time in ms; null before the first. */
  lastFetchAt: number | null = null;
  /** How long the last successful fetch took, ms. */
  lastFetchMs: number | null = null;
  /** True when the last fetch at the cursor came back empty. */
  caughtUp = false;
  /** What the last failure said; null after a success. */
  failure: string | null = null;
  /** The newest bounds seen. */
  bounds: PartitionBounds | null = null;
  /** Calls made to the bridge. */
  calls: number;

  /** @param before the cursor that this one replaces */
  constructor(ports: Ports, topicId: string, offset: number, before?: PartitionCursor) {
    this.#client = before === undefined ? { isBusy: false } : before.#client;
    this.calls = before?.calls ?? 0;
    this.#ports = ports;
    this.#topicId = topicId;
    this.#offset = offset;
  }

  /** The next offset to read. */
  get offset(): number {
    return this.#offset;
  }

  /** Reads on. Never throws; waits at most about 8 s. */
  async read(): Promise<Read> {
    if (this.#mustProbe) {
      return this.#probe();
    }
    const startedAt = this.#ports.clock.now();
    try {
      const records = await this.#next();
      this.#succeed(startedAt, records.length === 0);
      if (records.length === 0) {
        const tookMs = this.#ports.clock.now() - startedAt;
        await (tookMs < LEAST_EMPTY_MS ? sleep(this.#ports.timers, LEAST_EMPTY_MS) : undefined);
        return { kind: "empty" };
      }
      this.#offset = (records.at(-1)?.offset ?? this.#offset - 1) + 1;
      this.#ahead = { offset: this.#offset, answer: this.#fetch(this.#offset) };
      return { kind: "records", records };
    } catch (error) {
      this.#fail(error);
      this.#mustProbe = true;
      return { kind: "again" };
    }
  }

  /** Looks at the partition's bounds, for the lag; a recreated topic is noticed on the way. Never throws. */
  async look(): Promise<void> {
    try {
      const bounds = await this.#bounds();
      this.bounds = bounds;
      this.#mustProbe ||= bounds?.topicId !== this.#topicId;
    } catch {
      // The next read will notice whatever is wrong.
    }
  }

  /** Records between the cursor and the end; null while the end is unknown. */
  get lagRecords(): number | null {
    return this.caughtUp ? 0 : this.bounds === null ? null : Math.max(0, this.bounds.latest - this.#offset);
  }

  #next(): Promise<readonly LogRecord[]> {
    const ahead = this.#ahead;
    this.#ahead = null;
    return ahead?.offset === this.#offset ? ahead.answer : this.#fetch(this.#offset);
  }

  #fetch(offset: number): Promise<readonly LogRecord[]> {
    const { records, timers } = this.#ports;
    this.calls++;
    const answer = withDeadline(timers, FETCH_DEADLINE_MS, async (signal) => {
      if (this.#client.isBusy) {
        return checkRecords(await records.fetchOnce(this.#topicId, offset, FETCH_WAIT_MS, signal), offset);
      }
      this.#client.isBusy = true;
      try {
        return checkRecords(await records.fetch(this.#topicId, offset, FETCH_WAIT_MS), offset);
      } finally {
        this.#client.isBusy = false;
      }
    });
    // Sent ahead, it may fail before anyone waits for it: whoever reads next will see it.
    answer.catch(() => undefined);
    return answer;
  }

  #bounds(): Promise<PartitionBounds | null> {
    this.calls++;
    return withDeadline(this.#ports.timers, PROBE_DEADLINE_MS, (signal) => this.#ports.records.bounds(signal));
  }

  async #probe(): Promise<Read> {
    let bounds: PartitionBounds | null;
    try {
      bounds = await this.#bounds();
    } catch (error) {
      this.#fail(error);
      return this.#again(backoff(++this.#failures, FIRST_RETRY_MS, MOST_RETRY_MS));
    }
    this.bounds = bounds;
    if (bounds === null) {
      this.#fail("the bridge knows no such topic-partition");
      return this.#again(backoff(++this.#failures, FIRST_RETRY_MS, MOST_RETRY_MS));
    }
    this.#failures = 0;
    if (bounds.topicId !== this.#topicId) {
      return { kind: "recreated", bounds };
    }
    if (this.#offset < bounds.earliest) {
      return { kind: "lost", bounds };
    }
    if (this.#offset > bounds.latest) {
      return ++this.#beyondSightings < BEYOND_SIGHTINGS ? this.#again(1_000) : { kind: "beyond", bounds };
    }
    this.#beyondSightings = 0;
    this.#mustProbe = false;
    return { kind: "again" };
  }

  async #again(ms: number): Promise<Read> {
    await sleep(this.#ports.timers, ms);
    return { kind: "again" };
  }

  #succeed(startedAt: number, isEmpty: boolean): void {
    const now = this.#ports.clock.now();
    this.lastFetchAt = now;
    this.lastFetchMs = now - startedAt;
    this.caughtUp = isEmpty;
    this.failure = null;
  }

  #fail(error: unknown): void {
    this.caughtUp = false;
    this.failure = error instanceof Error ? error.message : String(error);
  }
}
