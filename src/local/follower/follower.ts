// Follows the log into ClickHouse, exactly once in effect: read, count, pin (offsets and rows together), insert, settle.
// A crash between any two of these loses nothing and doubles nothing.
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { History } from "./history.ts";
import { Increments } from "./increments.ts";
import type { Batch, Ledger, Position } from "./ledger.ts";
import type { FollowedLog } from "./log-client.ts";
import { memoryOf, type SourceMemory, SourceTally } from "./tally.ts";

/** Records of one batch and source: a few megabytes, one block of ClickHouse. */
const BATCH_RECORDS = 20_000;
/** The pipeline's word on its progress is renewed this often when nothing comes. */
const PROGRESS_EVERY_MS = 10_000;

/** The tables that each kind of source fills, as `ingest_progress` calls them. */
const filledBy = { engagement: ["content_metrics", "audience"], subscription: ["subscriber_metrics"] } as const;

/** The follower's surroundings. */
export interface FollowerOptions {
  readonly log: FollowedLog;
  readonly history: History;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly report: Log;
  readonly topics: { readonly engagement: string; readonly subscription: string };
}

type Kind = keyof typeof filledBy;

interface Source {
  readonly name: string;
  readonly kind: Kind;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly earliest: number;
  readonly latest: number;
}

/** A follower with its memory. After a failed {@link step} make a new one over the same ledger: memory may be ahead. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #memories = new Map<string, SourceMemory>();
  readonly #positions: Map<string, Position>;
  #progressAt = Number.NEGATIVE_INFINITY;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#positions = new Map(options.ledger.positions().map((position) => [position.source, position]));
  }

  /**
   * Carries over what the log has, at most one batch.
   * @returns how many records it read; 0 when it has reached the end
   * @throws when the log, the ledger or ClickHouse fails
   */
  async step(): Promise<number> {
    await this.#flush();
    const { log, clock, ledger } = this.#options;
    const askedAt = clock.now();
    const sources = this.#sources(await log.topics());
    const increments = new Increments();
    const batches: Batch[] = [];
    let records = 0;
    for (const source of sources) {
      const batch = await this.#read(source, increments);
      if (batch) {
        records += batch.records;
        batches.push(batch);
      }
    }
    if (batches.length > 0) {
      ledger.pin(batches, increments.tables());
      for (const { position } of batches) {
        this.#positions.set(position.source, position);
      }
      await this.#flush();
    }
    if (records > 0 || askedAt - this.#progressAt >= PROGRESS_EVERY_MS) {
      await this.#tellProgress(sources, askedAt);
      this.#progressAt = askedAt;
    }
    return records;
  }

  async #flush(): Promise<void> {
    const { ledger, history } = this.#options;
    const pending = ledger.pending();
    for (const insert of pending) {
      await history.insert(insert);
    }
    if (pending.length > 0) {
      ledger.settle();
    }
  }

  #sources(topics: Awaited<ReturnType<FollowedLog["topics"]>>): Source[] {
    return (["engagement", "subscription"] as const).flatMap((kind) => {
      const topic = this.#options.topics[kind];
      const known = topics[topic];
      return (known?.partitions ?? []).map((partition) => ({
        name: `${topic}:${partition.partition}`,
        kind,
        topic,
        topicId: known?.topicId ?? "",
        ...partition,
      }));
    });
  }

  /** Where to read a source from: on from its position, or from the earliest where that is gone or was never there. */
  #start(source: Source): number {
    const { report } = this.#options;
    const position = this.#positions.get(source.name);
    if (!position || position.topicId !== source.topicId) {
      if (position) {
        report.warn("follower.topic.recreated", { source: source.name });
      }
      return source.earliest;
    }
    if (position.nextOffset < source.earliest) {
      report.error("follower.gap", { source: source.name, from: position.nextOffset, to: source.earliest });
      return source.earliest;
    }
    if (position.nextOffset > source.latest) {
      throw new Error(
        `${source.name} ends at ${source.latest}, before the offset ${position.nextOffset} already read.`,
      );
    }
    return position.nextOffset;
  }

  async #read(source: Source, increments: Increments): Promise<(Batch & { records: number }) | null> {
    const { log, ledger, report } = this.#options;
    const from = this.#start(source);
    if (from >= source.latest) {
      return null;
    }
    let memory = this.#memories.get(source.name);
    if (!memory) {
      memory = ledger.memory(source.name);
      this.#memories.set(source.name, memory);
    }
    const tally = new SourceTally(source.kind, memory, increments);
    let offset = from;
    let records = 0;
    while (offset < source.latest && records < BATCH_RECORDS) {
      const { topic, topicId, partition } = source;
      const fetched = await log.fetch({ topic, topicId, partition, offset });
      for (const record of fetched) {
        tally.add(record);
        offset = record.offset + 1;
      }
      records += fetched.length;
      if (fetched.length === 0) {
        break;
      }
    }
    if (offset === from) {
      return null;
    }
    if (tally.skipped > 0) {
      report.warn("follower.skipped", { source: source.name, records: tally.skipped });
    }
    const forgetUpTo = memory.logTime - memoryOf(source.kind);
    forget(memory.seen, (at) => at <= forgetUpTo);
    forget(memory.beats, ({ heardAt }) => heardAt <= forgetUpTo);
    return {
      position: { source: source.name, topicId: source.topicId, nextOffset: offset, logTime: memory.logTime },
      seen: tally.seen,
      beats: tally.beats,
      forgetUpTo,
      records,
    };
  }

  async #tellProgress(sources: readonly Source[], askedAt: number): Promise<void> {
    for (const kind of ["engagement", "subscription"] as const) {
      const ofKind = sources.filter((source) => source.kind === kind);
      const through = ofKind.map((source) => {
        const position = this.#positions.get(source.name);
        const reached = source.latest === source.earliest || (position?.nextOffset ?? -1) >= source.latest;
        return reached ? askedAt : (position?.logTime ?? 0);
      });
      if (through.length > 0) {
        const { history, clock } = this.#options;
        for (const table of filledBy[kind]) {
          await history.progress(table, Math.min(...through), clock.now());
        }
      }
    }
  }
}

function forget<Mark>(marks: Map<string, Mark>, isOld: (mark: Mark) => boolean): void {
  for (const [key, mark] of marks) {
    if (isOld(mark)) {
      marks.delete(key);
    }
  }
}
