// Hosts the watch list as the platform would: evicted at any time, its storage kept.
import type { SourcesState, Ack } from "../../src/contract/live-rpc.ts";
import { WatchListCore } from "../../src/creator-hub/watch-list-core.ts";
import { WatchListStorage } from "../../src/creator-hub/watch-list-storage.ts";
import { createLog } from "../../src/runtime/log.ts";
import { Life } from "./life.ts";
import { MemorySql } from "./memory-sql.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SkewedClock } from "./skewed-clock.ts";

/** The one watch list. */
export class SimulatedWatchList {
  readonly clock: SkewedClock;
  readonly #scheduler: Scheduler;
  readonly #tellHub: (life: Life, word: SourcesState) => Promise<Ack>;
  readonly #sql = new MemorySql();
  #life = new Life();
  #core: WatchListCore | null = null;
  #incarnations = 0;
  #alarm: () => void = () => undefined;

  constructor(clock: SkewedClock, scheduler: Scheduler, tellHub: (life: Life, word: SourcesState) => Promise<Ack>) {
    this.clock = clock;
    this.#scheduler = scheduler;
    this.#tellHub = tellHub;
  }

  /** The list, built if it is not there. */
  core(): WatchListCore {
    if (this.#core === null) {
      const life = this.#life;
      this.#core = new WatchListCore(`list-${this.#incarnations++}`, {
        clock: this.clock,
        storage: new WatchListStorage(this.#sql),
        hubs: { sourcesChanged: (word) => this.#tellHub(life, word) },
        timers: { after: (ms, fire) => life.after(this.#scheduler, ms, fire) },
        alarm: { set: (atMs) => this.#setAlarm(atMs) },
        log: createLog({}, () => undefined),
      });
    }
    return this.#core;
  }

  /** The object is gone, with everything in its memory. */
  evict(): void {
    this.#life.end();
    this.#life = new Life();
    this.#core = null;
  }

  close(): void {
    this.#life.end();
    this.#alarm();
    this.#sql.close();
  }

  #setAlarm(atMs: number): void {
    this.#alarm();
    this.#alarm = this.#scheduler.after(atMs - this.clock.now(), () => this.core().alarm());
  }
}
