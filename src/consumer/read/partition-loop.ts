// The life of a reader: start from what is stored, find the place to read, read on, and deal with what may have become
// of the topic meanwhile. What is done with the records is a handler's business.
import type { ReaderHealth } from "../../contract/live-rpc.ts";
import { describeError } from "../../runtime/log.ts";
import { sleep, withDeadline } from "../../runtime/deadline.ts";
import type { Gap, PartitionBounds, Position, ReaderPorts, StoredReader } from "../ports.ts";
import { PartitionCursor } from "./partition-cursor.ts";
import { beginAt, type Beginning, nextEpoch } from "./placement.ts";
import type { ReaderStatus } from "./reader-status.ts";
import { type Portion, Suspects } from "./suspects.ts";

/** Waits when there is nothing to do but wait: no topic yet, a stop, an error inside. */
const IDLE_MS = 1_000;
const BOUNDS_DEADLINE_MS = 3_000;
/** A reader that fetched within this time is well. */
const HEALTHY_MS = 10_000;
/** How often the partition's end is looked at while the reader is behind, for the lag. */
const LOOK_INTERVAL_MS = 10_000;

/** What is done with one partition's records. */
export interface PartitionHandler {
  /** How a deployment's first start begins. */
  readonly firstBeginning: Beginning;
  /** Takes up a stored state; null when none can be read. */
  restore(stored: StoredReader): Promise<Position | null>;
  /** Begins anew at a position and makes that durable. */
  begin(position: Position, gap: Gap | null): Promise<void>;
  /** From now on this cursor reads. */
  follow(cursor: PartitionCursor): void;
  /** Takes records; when it resolves, the handler's position is behind them. */
  take(portion: Portion): Promise<void>;
  /** Called after every read: a time to save. */
  settle(): Promise<void>;
  /** False while more records would not fit; the loop then waits. */
  readonly hasRoom: boolean;
  readonly position: Position | null;
  /** Log time in ms that was reached; null where there is no such thing. */
  readonly logTime: number | null;
  /** Calls made to hubs and the watch list. */
  readonly calls: { readonly hubs: number; readonly watchList: number };
  describe(): Pick<ReaderStatus, "lastPublishMs" | "watchers" | "checkpoint" | "fold" | "parked" | "overlap">;
  /** Ends everything that runs beside the loop. */
  stop(): void;
}

/** What the loop shows its handler of itself. */
export interface LoopView {
  readonly health: ReaderHealth;
  readonly partitions: number;
}

/** How much one run may do. */
export interface RunLimits {
  readonly ms: number;
  readonly records: number;
  readonly calls: number;
}

/** Reads one partition through a handler. */
export class PartitionLoop implements LoopView {
  readonly #ports: ReaderPorts;
  readonly #makeHandler: (suspects: Suspects, loop: LoopView) => PartitionHandler;
  #handler: PartitionHandler | null = null;
  #suspects: Suspects | null = null;
  #cursor: PartitionCursor | null = null;
  #stored: StoredReader | null = null;
  #stopped: string | null = null;
  #failure: string | null = null;
  #records = 0;
  #lookedAt = 0;
  #restarts = 0;

  constructor(ports: ReaderPorts, makeHandler: (suspects: Suspects, loop: LoopView) => PartitionHandler) {
    this.#ports = ports;
    this.#makeHandler = makeHandler;
  }

  /** Works until a limit is reached. Never throws: an error inside begins the reader again from what is stored. */
  async run(limits: RunLimits): Promise<void> {
    const until = this.#ports.clock.now() + limits.ms;
    const records = this.#records + limits.records;
    const calls = this.#calls() + limits.calls;
    while (this.#ports.clock.now() < until && this.#records < records && this.#calls() < calls) {
      try {
        await this.#step();
        this.#failure = null;
      } catch (error) {
        this.#failure = describeError(error);
        this.#ports.log.error("reader failed", { source: this.#ports.source, error: this.#failure });
        this.restart();
        await sleep(this.#ports.timers, IDLE_MS);
      }
    }
  }

  /** Forgets everything in memory: the next step begins from what is stored. */
  restart(): void {
    this.#restarts++;
    this.#handler?.stop();
    this.#handler = null;
    this.#cursor = null;
    this.#suspects = null;
    this.#stored = null;
    this.#stopped = null;
  }

  get health(): ReaderHealth {
    const cursor = this.#cursor;
    const now = this.#ports.clock.now();
    const lastFetchAt = cursor?.lastFetchAt ?? null;
    const failure = this.#stopped ?? this.#failure ?? cursor?.failure ?? null;
    const isWell = lastFetchAt !== null && now - lastFetchAt < HEALTHY_MS;
    const logTime = this.#handler?.logTime ?? null;
    const caughtUp = cursor?.caughtUp ?? false;
    return {
      state: this.#stopped !== null ? "stopped" : isWell ? "ok" : failure === null ? "starting" : "failing",
      lastFetchAt,
      caughtUp,
      lagRecords: cursor?.lagRecords ?? null,
      lagSeconds: caughtUp ? 0 : logTime === null ? null : Math.max(0, (now - logTime) / 1_000),
      reason: failure?.slice(0, 200) ?? null,
    };
  }

  get partitions(): number {
    return this.#cursor?.bounds?.partitions ?? 1;
  }

  /** How the reader fares, for an administrator. */
  status(): ReaderStatus {
    const position = this.#handler?.position ?? null;
    return {
      source: this.#ports.source,
      epoch: position?.epoch ?? null,
      topicId: position?.topicId ?? null,
      offset: position?.offset ?? null,
      health: this.health,
      lastFetchMs: this.#cursor?.lastFetchMs ?? null,
      calls: { bridge: this.#cursor?.calls ?? 0, ...(this.#handler?.calls ?? { hubs: 0, watchList: 0 }) },
      recordsSinceStart: this.#records,
      ...(this.#handler?.describe() ?? {
        lastPublishMs: null,
        watchers: 0,
        checkpoint: null,
        fold: null,
        parked: null,
        overlap: null,
      }),
    };
  }

  #calls(): number {
    const calls = this.#handler?.calls;
    return (this.#cursor?.calls ?? 0) + (calls?.hubs ?? 0) + (calls?.watchList ?? 0);
  }

  async #step(): Promise<void> {
    if (this.#stopped !== null) {
      await sleep(this.#ports.timers, IDLE_MS);
    } else if (this.#handler === null || this.#suspects === null || this.#stored === null) {
      await this.#start();
    } else if (this.#cursor === null) {
      await this.#beginFirst(this.#handler, this.#stored);
    } else {
      await this.#read(this.#handler, this.#suspects, this.#cursor);
    }
  }

  async #start(): Promise<void> {
    const restarts = this.#restarts;
    const stored = await this.#ports.storage.start();
    if (stored.stopped !== null) {
      this.#stopped = stored.stopped;
      return;
    }
    const suspects = new Suspects(this.#ports.storage, stored);
    await suspects.begin();
    const handler = this.#makeHandler(suspects, this);
    const position = await handler.restore(stored);
    if (this.#restarts !== restarts) {
      // What was read may have been reset meanwhile.
      handler.stop();
      return;
    }
    if (position === null && stored.checkpoints.length > 0) {
      this.#ports.log.error("no checkpoint can be read: the state is rebuilt", { source: this.#ports.source });
    }
    this.#stored = stored;
    this.#suspects = suspects;
    this.#handler = handler;
    if (position !== null) {
      this.#follow(handler, position);
    }
  }

  /** Nothing is stored, or nothing readable: begins where a first start does. */
  async #beginFirst(handler: PartitionHandler, stored: StoredReader): Promise<void> {
    const bounds = await withDeadline(this.#ports.timers, BOUNDS_DEADLINE_MS, (signal) =>
      this.#ports.records.bounds(signal),
    );
    if (bounds === null) {
      throw new Error("the bridge knows no such topic-partition");
    }
    const beginning = stored.presentAtFirstStart ? handler.firstBeginning : "earliest";
    const position = await beginAt(this.#ports, bounds, beginning, stored.lastEpoch);
    this.#ports.log.info("reader begins", { source: this.#ports.source, beginning, offset: position.offset });
    await this.#begin(handler, position, null);
  }

  async #read(handler: PartitionHandler, suspects: Suspects, cursor: PartitionCursor): Promise<void> {
    if (!handler.hasRoom) {
      await handler.settle();
      await sleep(this.#ports.timers, IDLE_MS);
      return;
    }
    this.#lookAround(cursor);
    const read = await cursor.read();
    if (this.#cursor !== cursor) {
      return;
    }
    switch (read.kind) {
      case "records":
        for (const portion of suspects.portions(read.records)) {
          await suspects.take(portion);
          await handler.take(portion);
          this.#records += portion.records.length;
        }
        break;
      case "recreated":
        this.#ports.log.warn("topic was recreated", { source: this.#ports.source, topicId: read.bounds.topicId });
        await this.#beginAgain(handler, read.bounds, null);
        return;
      case "lost":
        await this.#beginAgain(handler, read.bounds, this.#gapUpTo(cursor.offset, read.bounds));
        return;
      case "beyond":
        this.#stopped = `the log ends at ${read.bounds.latest}, before the reader's offset ${cursor.offset}`;
        await this.#ports.storage.stop(this.#stopped);
        this.#ports.log.error("reader stopped", { source: this.#ports.source, reason: this.#stopped });
        return;
      case "empty":
      case "again":
        break;
    }
    await handler.settle();
  }

  #gapUpTo(from: number, { topicId, earliest }: PartitionBounds): Gap {
    const gap = { topicId, from, to: earliest, at: this.#ports.clock.now() };
    this.#ports.log.error("records were lost to retention", { source: this.#ports.source, from, to: earliest });
    return gap;
  }

  /** What was counted cannot be continued: counting begins again at the earliest record, under a new epoch. */
  async #beginAgain(handler: PartitionHandler, bounds: PartitionBounds, gap: Gap | null): Promise<void> {
    const epoch = nextEpoch(handler.position?.epoch ?? 0, this.#ports.clock.now());
    await this.#begin(handler, { topicId: bounds.topicId, epoch, offset: bounds.earliest }, gap);
  }

  async #begin(handler: PartitionHandler, position: Position, gap: Gap | null): Promise<void> {
    await handler.begin(position, gap);
    this.#follow(handler, position);
  }

  #follow(handler: PartitionHandler, { topicId, offset }: Position): void {
    const before = this.#cursor;
    this.#cursor = new PartitionCursor(this.#ports, topicId, offset, before ?? undefined);
    handler.follow(this.#cursor);
  }

  #lookAround(cursor: PartitionCursor): void {
    const now = this.#ports.clock.now();
    if (now - this.#lookedAt >= LOOK_INTERVAL_MS) {
      this.#lookedAt = now;
      void cursor.look();
    }
  }
}
