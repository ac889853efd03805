// How the sources fare. Whether a source stalls is judged by the watch list's own clock: a reader's may be wrong, but its
// last fetch moves on only while it fetches. How far it lags is its own word.
import { partitionOf } from "../contract/partitioner.ts";
import { splitSource, type CreatorId, type Source } from "../contract/ids.ts";
import type { ReaderReport, SourcesState, SourceStatus } from "../contract/live-rpc.ts";
import type { Watcher } from "./watchers.ts";

/** A source that has not fetched successfully for so long makes its creators stale. */
export const FETCH_LIMIT_MS = 10_000;
/** A reader that is further behind than this shows numbers that nobody would call live. */
const LAG_LIMIT_SECONDS = 10;

/** Why a source is not healthy. */
export type SourceTrouble = NonNullable<SourcesState["reason"]>;
/** The worse comes first. */
const troubles: readonly SourceTrouble[] = ["source_stopped", "reader_stalled", "reader_behind"];

interface SourceRecord {
  report: ReaderReport;
  reportedAt: number;
  /** When its last successful fetch became known here. */
  fetchedAt: number;
  /** The newest served version, where the reader stood then, and whose hubs it could not reach. */
  served: { number: number; epoch: number; offset: number; unserved: ReadonlySet<CreatorId> };
}

/** All sources that there should be or that have reported. */
export class SourceHealth {
  readonly #records = new Map<Source, SourceRecord>();
  readonly #partitions = new Map<string, number>();
  #expected: readonly Source[];
  /** The same by topic and partition. */
  #byTopic: ReadonlyMap<string, ReadonlyMap<number, Source>>;
  #expectedAt: number;
  /** Rises with every change of what is expected. */
  generation = 0;

  constructor(expected: readonly Source[], nowMs: number) {
    this.#expected = expected;
    this.#byTopic = byTopic(expected);
    this.#expectedAt = nowMs;
  }

  get expected(): readonly Source[] {
    return this.#expected;
  }

  expect(sources: readonly Source[], nowMs: number): void {
    this.#expected = sources;
    this.#byTopic = byTopic(sources);
    this.#expectedAt = nowMs;
    this.generation += 1;
    const wanted = new Set(sources);
    for (const source of this.#records.keys()) {
      if (!wanted.has(source)) {
        this.#records.delete(source);
      }
    }
  }

  /**
   * Takes a report. `servedNumber` is -1 where it says nothing about this incarnation of the list.
   * @returns true when the report says more than the last one of whom the source has served
   */
  report(report: ReaderReport, servedNumber: number, nowMs: number): boolean {
    const before = this.#records.get(report.source);
    const { lastFetchAt } = report.health;
    const fetched =
      before === undefined
        ? lastFetchAt !== null && report.health.state === "ok"
        : lastFetchAt !== null && lastFetchAt !== before.report.health.lastFetchAt;
    const { epoch, offset } = report;
    const unserved = new Set(report.unserved);
    // One that has begun again says nothing of this until it has served as far again.
    const served =
      before === undefined || servedNumber >= before.served.number
        ? { number: servedNumber, epoch, offset, unserved }
        : before.served;
    this.#records.set(report.source, {
      report,
      reportedAt: nowMs,
      fetchedAt: fetched ? nowMs : (before?.fetchedAt ?? -Infinity),
      served,
    });
    this.#partitions.set(splitSource(report.source).topic, report.partitions);
    const isReached = [...(before?.served.unserved ?? [])].some((creatorId) => !served.unserved.has(creatorId));
    return served.number > (before?.served.number ?? -1) || isReached;
  }

  /** What is wrong with a source; null when it is healthy. */
  troubleOf(source: Source, nowMs: number): SourceTrouble | null {
    const record = this.#records.get(source);
    if (record?.report.health.state === "stopped") {
      return "source_stopped";
    }
    if (nowMs - this.#knownGoodAt(record) >= FETCH_LIMIT_MS) {
      return "reader_stalled";
    }
    const behind = record !== undefined && !record.report.health.caughtUp;
    return behind && (record.report.health.lagSeconds ?? 0) > LAG_LIMIT_SECONDS ? "reader_behind" : null;
  }

  /** The worst trouble among the sources that serve a creator, and their oldest fetch. */
  stateFor(watcher: Watcher, nowMs: number): Pick<SourcesState, "state" | "reason" | "asOf"> {
    const concerned = this.#concerning(watcher);
    const found = new Set(concerned.map((source) => this.troubleOf(source, nowMs)));
    const reason = troubles.find((trouble) => found.has(trouble)) ?? null;
    const fetches = concerned.map((source) => this.#records.get(source)?.report.health.lastFetchAt ?? null);
    const asOf = fetches.reduce(
      (oldest, at) => (oldest === null || at === null ? null : Math.min(oldest, at)),
      Infinity,
    );
    return { state: reason === null ? "ok" : "stale", reason, asOf: asOf === Infinity ? null : asOf };
  }

  /** True for a source that has published of the creator, or whose partition is the one of the creator's key. */
  serves(source: Source, { creatorId, sources }: Watcher): boolean {
    if (sources.includes(source)) {
      return true;
    }
    const { topic, partition } = splitSource(source);
    return partitionOf(creatorId, this.#partitionsOf(topic)) === partition;
  }

  /** The expected sources that serve a creator, found without looking at the others. */
  #concerning({ creatorId, sources }: Watcher): Source[] {
    const concerned = new Set<Source>();
    for (const [topic, partitions] of this.#byTopic) {
      const own = partitions.get(partitionOf(creatorId, this.#partitionsOf(topic)));
      if (own !== undefined) {
        concerned.add(own);
      }
    }
    for (const source of sources) {
      const { topic, partition } = splitSource(source);
      if (this.#byTopic.get(topic)?.has(partition) === true) {
        concerned.add(source);
      }
    }
    return [...concerned];
  }

  /** Where a source's reader stood when it had served the watcher; null before, and while it cannot reach the hub. */
  servedAt(source: Source, { creatorId, number }: Watcher): { epoch: number; offset: number } | null {
    const served = this.#records.get(source)?.served;
    return served === undefined || served.number < number || served.unserved.has(creatorId)
      ? null
      : { epoch: served.epoch, offset: served.offset };
  }

  /** False just after a start, until every expected source has reported or has had its time to. */
  isJudged(nowMs: number): boolean {
    return nowMs - this.#expectedAt >= FETCH_LIMIT_MS || this.#expected.every((source) => this.#records.has(source));
  }

  /** When a healthy source turns stale if nothing is heard of it; infinite when none can. */
  nextStallAt(nowMs: number): number {
    const stalls = this.#expected
      .map((source) => this.#knownGoodAt(this.#records.get(source)) + FETCH_LIMIT_MS)
      .filter((at) => at > nowMs);
    return Math.min(Infinity, ...stalls);
  }

  /** For an administrator. */
  describe(nowMs: number): SourceStatus[] {
    const all = new Set([...this.#expected, ...this.#records.keys()]);
    return [...all].map((source) => {
      const record = this.#records.get(source);
      return {
        source,
        expected: this.#expected.includes(source),
        healthy: this.troubleOf(source, nowMs) === null,
        epoch: record?.report.epoch ?? null,
        offset: record?.report.offset ?? null,
        reportedAt: record?.reportedAt ?? null,
        health: record?.report.health ?? null,
      };
    });
  }

  /** A source that has not been heard yet gets as long as one that has fallen silent. */
  #knownGoodAt(record: SourceRecord | undefined): number {
    return Math.max(this.#expectedAt, record?.fetchedAt ?? -Infinity);
  }

  #partitionsOf(topic: string): number {
    return this.#partitions.get(topic) ?? Math.max(1, this.#byTopic.get(topic)?.size ?? 0);
  }
}

function byTopic(sources: readonly Source[]): Map<string, Map<number, Source>> {
  const topics = new Map<string, Map<number, Source>>();
  for (const source of sources) {
    const { topic, partition } = splitSource(source);
    const partitions = topics.get(topic) ?? new Map<number, Source>();
    topics.set(topic, partitions.set(partition, source));
  }
  return topics;
}
