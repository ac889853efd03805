// A reader's outside in memory, with time that moves only when told: what happens is decided by the test alone.
import type {
  Compressor,
  DeadLetter,
  Gap,
  LogRecord,
  ParkedEvent,
  PartitionBounds,
  ReaderCommit,
  ReaderPorts,
  ReaderStorage,
  RecordSource,
  StoredCheckpoint,
  StoredReader,
  Suspect,
} from "../../../src/consumer/ports.ts";
import { type CreatorId, creatorIdSchema, sourceOf } from "../../../src/contract/ids.ts";
import type { Publish, RareBatch, ReaderReport, StreamShare, WatchChanges } from "../../../src/contract/live-rpc.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { createLog } from "../../../src/runtime/log.ts";
import type { Timers } from "../../../src/runtime/timers.ts";

/** Lets everything that can happen without time passing happen. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Copies: real compression works in threads, whose time is not the test's. */
const copying: Compressor = {
  compress: async (bytes) => bytes.slice(),
  decompress: async (bytes) => bytes.slice(),
};

/** A clock and its timers. */
export class FakeTime implements Clock, Timers {
  #now: number;
  #timers: { at: number; fire: () => void }[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, fire: () => void): () => void {
    const timer = { at: this.#now + ms, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Lets time pass, timer by timer. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settled();
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
      if (next === undefined) {
        break;
      }
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await settled();
    }
    this.#now = until;
    await settled();
  }
}

/** A log of one partition. */
export class FakeLog implements RecordSource {
  readonly #time: FakeTime;
  records: LogRecord[] = [];
  topicId = "topic-1";
  earliest = 0;
  isDown = false;
  /** Answers of `fetch` hang from now on, as the stock client's do. */
  hangs = false;
  fetches: { how: "client" | "once"; offset: number }[] = [];
  outstanding = 0;
  mostOutstanding = 0;
  committed = -1;
  #waiting: (() => void)[] = [];

  constructor(time: FakeTime) {
    this.#time = time;
  }

  get latest(): number {
    return (this.records.at(-1)?.offset ?? this.earliest - 1) + 1;
  }

  add(...values: unknown[]): void {
    for (const value of values) {
      this.records.push({
        offset: this.latest,
        timestamp: this.#time.now(),
        key: "key",
        value: typeof value === "string" ? value : JSON.stringify(value),
      });
    }
    this.#waiting.splice(0).forEach((wake) => wake());
  }

  async fetch(topicId: string, offset: number, waitMs: number): Promise<readonly LogRecord[]> {
    this.fetches.push({ how: "client", offset });
    this.outstanding++;
    this.mostOutstanding = Math.max(this.mostOutstanding, this.outstanding);
    try {
      if (this.hangs) {
        await new Promise<void>((resolve) => {
          this.#time.after(15_500, resolve);
        });
      }
      return await this.#read(topicId, offset, waitMs);
    } finally {
      this.outstanding--;
    }
  }

  async fetchOnce(topicId: string, offset: number, waitMs: number): Promise<readonly LogRecord[]> {
    this.fetches.push({ how: "once", offset });
    return this.#read(topicId, offset, waitMs);
  }

  async bounds(): Promise<PartitionBounds | null> {
    this.#fail();
    return { topicId: this.topicId, partitions: 1, earliest: this.earliest, latest: this.latest };
  }

  async offsetAt(_topicId: string, timestampMs: number): Promise<number> {
    this.#fail();
    return this.records.find(({ timestamp }) => timestamp >= timestampMs)?.offset ?? this.latest;
  }

  async commit(offset: number): Promise<void> {
    this.committed = offset;
  }

  async #read(topicId: string, offset: number, waitMs: number): Promise<readonly LogRecord[]> {
    this.#fail();
    if (topicId !== this.topicId || offset < this.earliest || offset > this.latest) {
      throw new Error("409 or out of range");
    }
    const until = this.#time.now() + waitMs;
    for (;;) {
      const found = this.records.filter((record) => record.offset >= offset && record.offset >= this.earliest);
      if (found.length > 0 || this.#time.now() >= until) {
        return found.slice(0, 100);
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        this.#time.after(until - this.#time.now(), resolve);
      });
      this.#fail();
    }
  }

  #fail(): void {
    if (this.isDown) {
      throw new Error("connection refused");
    }
  }
}

/** Storage that outlives readers. */
export class FakeStorage implements ReaderStorage {
  checkpoints: StoredCheckpoint[] = [];
  lastEpoch = 0;
  starts = 0;
  suspected: Suspect | null = null;
  stopped: string | null = null;
  presentAtFirstStart = false;
  deadLetters: DeadLetter[] = [];
  unkept = 0;
  gaps: Gap[] = [];
  parked: ParkedEvent[] = [];
  fails = false;

  async start(): Promise<StoredReader> {
    this.starts++;
    const creators = new Set(this.parked.map(({ creatorId }) => creatorId));
    return {
      checkpoints: [...this.checkpoints],
      lastEpoch: this.lastEpoch,
      starts: this.starts,
      suspect: this.suspected,
      stopped: this.stopped,
      presentAtFirstStart: this.presentAtFirstStart,
      parked: [...creators].map((creatorId) => ({
        creatorId,
        events: this.parked.filter((event) => event.creatorId === creatorId).length,
      })),
    };
  }

  async commit({ checkpoint, deadLetters, unkept, park, gap }: ReaderCommit): Promise<void> {
    if (this.fails) {
      throw new Error("storage failed");
    }
    this.checkpoints = [checkpoint, ...this.checkpoints].slice(0, 2);
    this.lastEpoch = Math.max(this.lastEpoch, checkpoint.position.epoch);
    this.starts = 0;
    if (this.suspected !== null && this.suspected.to <= checkpoint.position.offset) {
      this.suspected = null;
    }
    const known = new Set(this.deadLetters.map(({ offset }) => offset));
    this.deadLetters.push(...deadLetters.filter(({ offset }) => !known.has(offset)));
    this.unkept += unkept.reduce((sum, { count }) => sum + count, 0);
    this.parked.push(...park);
    if (gap !== null) {
      this.gaps.push(gap);
    }
  }

  async suspect(suspect: Suspect): Promise<void> {
    this.suspected = suspect;
  }

  async stop(reason: string): Promise<void> {
    this.stopped = reason;
  }

  async parkedEvents(creatorId: CreatorId, limit: number): Promise<readonly ParkedEvent[]> {
    return this.parked.filter((event) => event.creatorId === creatorId).slice(0, limit);
  }

  async unpark(creatorId: CreatorId, epoch: number, below: number): Promise<void> {
    this.parked = this.parked.filter(
      (each) => each.creatorId !== creatorId || each.epoch !== epoch || each.event.offset >= below,
    );
  }
}

/** The outside of a reader. `hubs` and `watchers` are what the test wants them to be. */
export class FakeWorld {
  readonly time = new FakeTime(Date.UTC(2026, 10, 22, 20));
  readonly records = new FakeLog(this.time);
  readonly storage = new FakeStorage();
  readonly published: (Publish & { readonly sentAt: number })[] = [];
  readonly rare: RareBatch[] = [];
  /** Ids of rare events that hubs have. */
  readonly #rareIds = new Set<string>();
  readonly shares: StreamShare[] = [];
  readonly reports: ReaderReport[] = [];
  readonly watchers = new Map<string, string>();
  version = 0;
  readonly failingHubs = new Set<string>();
  /** Hubs whose calls never answer. */
  readonly silentHubs = new Set<string>();
  outcome: "accepted" | "behind" = "accepted";
  /** Hubs that hold `held`, newer than what they are sent. */
  readonly aheadHubs = new Set<string>();
  held = { epoch: 0, offset: 0 };
  intervalMs = 250;
  /** How long every hub takes to answer. */
  slowMs = 0;
  watchListIsDown = false;
  readonly lines: string[] = [];

  watch(creatorId: string, incarnation = "h1"): void {
    this.watchers.set(creatorId, incarnation);
    this.version++;
  }

  ports(): ReaderPorts {
    return {
      source: sourceOf("topic", 0),
      records: this.records,
      storage: this.storage,
      hubs: {
        publish: async (publish) => {
          this.published.push({ ...publish, sentAt: this.time.now() });
          await this.#answer(publish.creatorId);
          const outcome = this.aheadHubs.has(publish.creatorId) ? "behind" : this.outcome;
          return { v: 1, outcome, held: this.held, intervalMs: this.intervalMs };
        },
        applyRare: async (batch) => {
          await this.#answer(batch.creatorId);
          this.rare.push(batch);
          const watermark = (batch.events.at(-1)?.offset ?? 0) + 1;
          const applied = batch.events.filter(({ event }) => !this.#rareIds.has(event.eventId)).length;
          batch.events.forEach(({ event }) => this.#rareIds.add(event.eventId));
          return { v: 1, watermark, applied, duplicates: batch.events.length - applied };
        },
        recordStreamShare: async (share) => {
          await this.#answer(share.creatorId);
          this.shares.push(share);
          return { v: 1 };
        },
      },
      watchList: { report: async (report) => this.#report(report) },
      timers: this.time,
      clock: this.time,
      compressor: copying,
      log: createLog({}, (line) => this.lines.push(line)),
    };
  }

  #report(report: ReaderReport): WatchChanges {
    this.reports.push(report);
    if (this.watchListIsDown) {
      throw new Error("the watch list is down");
    }
    return {
      v: 1,
      version: { incarnation: "w1", number: this.version },
      whole: true,
      watchers: [...this.watchers].map(([creatorId, hubIncarnation]) => ({
        creatorId: creatorIdSchema.parse(creatorId),
        hubIncarnation,
      })),
      left: [],
    };
  }

  async #answer(creatorId: string): Promise<void> {
    if (this.failingHubs.has(creatorId)) {
      throw new Error("the hub failed");
    }
    if (this.slowMs > 0) {
      await new Promise<void>((resolve) => {
        this.time.after(this.slowMs, resolve);
      });
    }
    if (this.silentHubs.has(creatorId)) {
      await new Promise(() => undefined);
    }
  }
}
