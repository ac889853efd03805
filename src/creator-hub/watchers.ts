// Who is watched, and the history of that: leases by creator and a log of comings and goings, so that a reader learns
// what happened since the version it knows.
import type { CreatorId, Source } from "../contract/ids.ts";
import type { WatchChanges, WatchVersion } from "../contract/live-rpc.ts";

/** How many entries the log may have beyond two for every lease before the oldest are dropped. */
const SPARE_LOG_ENTRIES = 10_000;

/** One creator's lease. */
export interface Watcher {
  readonly creatorId: CreatorId;
  readonly hubIncarnation: string;
  /** The version that tells readers of it. */
  readonly number: number;
  renewedAt: number;
  /** Sources that the hub holds contributions of. */
  sources: readonly Source[];
  /** Once every expected source has served this incarnation, it stays so. */
  complete: boolean;
  /** Of the newest word told to the hub. */
  revision: number;
}

/** The leases and their history under one incarnation of the list. */
export class Watchers {
  readonly #incarnation: string;
  readonly #byCreator = new Map<CreatorId, Watcher>();
  /** Ascending by number. An entry is outdated when the creator has a later one. */
  #log: { number: number; creatorId: CreatorId }[] = [];
  #number = 0;
  /** What happened up to here is no longer in the log. */
  #forgotten = 0;

  constructor(incarnation: string) {
    this.#incarnation = incarnation;
  }

  get version(): WatchVersion {
    return { incarnation: this.#incarnation, number: this.#number };
  }

  get size(): number {
    return this.#byCreator.size;
  }

  get(creatorId: CreatorId): Watcher | undefined {
    return this.#byCreator.get(creatorId);
  }

  all(): MapIterator<Watcher> {
    return this.#byCreator.values();
  }

  /** Adds a lease, or replaces the creator's earlier one. */
  add(lease: Omit<Watcher, "number">): Watcher {
    const watcher = { ...lease, number: this.#record(lease.creatorId) };
    this.#byCreator.set(lease.creatorId, watcher);
    return watcher;
  }

  remove(creatorId: CreatorId): void {
    if (this.#byCreator.delete(creatorId)) {
      this.#record(creatorId);
    }
  }

  /** The number up to which a reader has served, in this incarnation of the list; -1 when it is another's. */
  servedNumber(served: WatchVersion | null): number {
    return served?.incarnation === this.#incarnation ? served.number : -1;
  }

  /** What happened after a number; the whole list where the log does not reach back so far. */
  changesSince(number: number): Omit<WatchChanges, "v"> {
    if (number < this.#forgotten || number > this.#number) {
      const watchers = [...this.#byCreator.values()].map(describe);
      return { version: this.version, whole: true, watchers, left: [] };
    }
    const creators = new Set(this.#log.slice(this.#firstAfter(number)).map(({ creatorId }) => creatorId));
    const watchers = [...creators].flatMap((creatorId) => this.#byCreator.get(creatorId) ?? []).map(describe);
    const left = [...creators].filter((creatorId) => !this.#byCreator.has(creatorId));
    return { version: this.version, whole: false, watchers, left };
  }

  #record(creatorId: CreatorId): number {
    this.#number += 1;
    this.#log.push({ number: this.#number, creatorId });
    const excess = this.#log.length - (2 * this.#byCreator.size + SPARE_LOG_ENTRIES);
    if (excess > SPARE_LOG_ENTRIES) {
      this.#log = this.#log.slice(excess);
      this.#forgotten = (this.#log[0]?.number ?? this.#number + 1) - 1;
    }
    return this.#number;
  }

  /** Numbers are consecutive, so the place of one follows from the first. */
  #firstAfter(number: number): number {
    return number - this.#forgotten;
  }
}

function describe({ creatorId, hubIncarnation }: Watcher): { creatorId: CreatorId; hubIncarnation: string } {
  return { creatorId, hubIncarnation };
}
