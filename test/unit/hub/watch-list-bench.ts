// The watch list on a virtual clock, with hubs that note what they are told.
import { creatorIdSchema, type CreatorId, type Source } from "../../../src/contract/ids.ts";
import type { Lease, ReaderHealth, ReaderReport, SourcesState, WatchVersion } from "../../../src/contract/live-rpc.ts";
import { WatchListCore } from "../../../src/creator-hub/watch-list-core.ts";
import { WatchListStorage } from "../../../src/creator-hub/watch-list-storage.ts";
import { createLog } from "../../../src/runtime/log.ts";
import { START } from "./hub-bench.ts";
import { memorySql } from "./node-sql.ts";

/** A creator id of its own. */
export const creatorOf = (id: string): CreatorId => creatorIdSchema.parse(id);

/** A lease of a creator's hub. */
export function lease(creatorId: CreatorId, hubIncarnation = "h_100", sources: Source[] = []): Lease {
  return { v: 1, creatorId, hubIncarnation, sources };
}

/** The watch list and everything around it. */
export class WatchListBench {
  now = START;
  /** Words that hubs were told, in order. */
  readonly told: SourcesState[] = [];
  /** Makes calls to hubs fail. */
  hubsDown = false;
  /** Hubs whose calls never answer. */
  readonly silentHubs = new Set<CreatorId>();
  /** Calls to hubs that are answered only when the test says so; null answers at once. */
  heldCalls: (() => void)[] | null = null;
  list: WatchListCore;
  readonly #database = memorySql();
  readonly #timers = new Set<{ at: number; fire: () => void }>();
  #alarmAt: number | null = null;
  #instances = 0;

  constructor() {
    this.list = this.#start();
  }

  get alarmAt(): number | null {
    return this.#alarmAt;
  }

  /** Loses everything in memory. */
  restart(): void {
    this.list = this.#start();
  }

  /** A reader's poll. By default a healthy one that has just fetched. */
  report(
    source: Source,
    served: WatchVersion | null,
    health: Partial<ReaderHealth> = {},
    more: Partial<ReaderReport> = {},
  ): ReturnType<WatchListCore["report"]> {
    return this.list.report({
      v: 1,
      source,
      partitions: 2,
      epoch: 1,
      offset: 5,
      served,
      health: {
        state: "ok",
        lastFetchAt: this.now,
        caughtUp: true,
        lagRecords: 0,
        lagSeconds: 0,
        reason: null,
        ...health,
      },
      ...more,
    });
  }

  /** Polls twice: what the first answer names has been served by the second. */
  serve(source: Source, more: Partial<ReaderReport> = {}): void {
    const { version } = this.report(source, null, {}, more);
    this.report(source, version, {}, more);
  }

  /** Lets calls that are under way arrive. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) {
      await Promise.resolve();
    }
  }

  /** Lets time pass: timers and alarms fire when they are due. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    await this.settle();
    for (;;) {
      const [timer] = [...this.#timers].toSorted((a, b) => a.at - b.at);
      const next = Math.min(timer?.at ?? Infinity, this.#alarmAt ?? Infinity);
      if (next > end) {
        break;
      }
      this.now = Math.max(this.now, next);
      if (timer?.at === next) {
        this.#timers.delete(timer);
        timer.fire();
      } else {
        this.#alarmAt = null;
        this.list.alarm();
      }
      await this.settle();
    }
    this.now = end;
  }

  /** The last word that a creator's hub was told. */
  wordTo(creatorId: CreatorId): SourcesState | undefined {
    return this.told.findLast((word) => word.creatorId === creatorId);
  }

  #start(): WatchListCore {
    this.#instances += 1;
    return new WatchListCore(`list_${this.#instances}`, {
      clock: { now: () => this.now },
      storage: new WatchListStorage(this.#database),
      hubs: {
        sourcesChanged: async (word) => {
          this.told.push(word);
          if (this.hubsDown) {
            throw new Error("the hub is down");
          }
          if (this.silentHubs.has(word.creatorId)) {
            await new Promise(() => undefined);
          }
          const held = this.heldCalls;
          if (held !== null) {
            await new Promise<void>((resolve) => held.push(resolve));
          }
          return { v: 1 };
        },
      },
      timers: {
        after: (ms, fire) => {
          const timer = { at: this.now + ms, fire };
          this.#timers.add(timer);
          return () => this.#timers.delete(timer);
        },
      },
      alarm: { set: (at) => void (this.#alarmAt = at) },
      log: createLog({}, () => undefined),
    });
  }
}
