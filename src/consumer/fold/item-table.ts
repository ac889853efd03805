// Counters of every item in typed arrays: 50,000 active items cost about 30 MB with their names. An item is a pair of
// creator and content; its number stays the same until `drop` renumbers all.
import type { ContentId, CreatorId } from "../../contract/ids.ts";

/** Views per minute are kept for this many minutes. */
export const MINUTES = 60;
/** Bounds memory. Beyond it the items longest idle are dropped, and show again with a later `since`. */
export const MAX_ITEMS = 65_536;
const FIRST_CAPACITY = 256;

/** Counters of which each item has one. */
const columnNames = [
  "views",
  "likes",
  "shares",
  "completions",
  "watchSeconds",
  /** Log time (ms) when the item was first seen. */
  "since",
  /** Log time (ms) of the last accepted event. */
  "lastSeen",
  "viewers",
  "peak",
  /** Log time (ms) of the peak; meaningless while the peak is 0. */
  "peakAt",
  /** The newest minute (since the epoch) of its views per minute. */
  "minute",
  /** Log time (ms) when a session could not be counted for want of memory; -1 for never. */
  "uncountedAt",
] as const;
type ColumnName = (typeof columnNames)[number];
export type ItemColumns = Record<ColumnName, Float64Array>;

/** A creator with items. */
export interface Creator {
  readonly id: CreatorId;
  /** Numbers of its items. */
  items: number[];
  /** True while the creator is among the changed ones. */
  changed: boolean;
}

/** The items of one partition. */
export class ItemTable {
  #size = 0;
  #capacity = FIRST_CAPACITY;
  columns: ItemColumns = makeColumns(FIRST_CAPACITY);
  #perMinute = new Uint32Array(FIRST_CAPACITY * MINUTES);
  #contentIds: ContentId[] = [];
  #creators: Creator[] = [];
  readonly #byContent = new Map<string, number>();
  readonly #byCreator = new Map<string, Creator>();
  #changed: CreatorId[] = [];

  get size(): number {
    return this.#size;
  }

  /** The number of an item, or -1. */
  find(creatorId: string, contentId: string): number {
    const item = this.#byContent.get(contentId);
    if (item !== undefined && this.#creators[item]?.id === creatorId) {
      return item;
    }
    return this.#byContent.get(pairKey(creatorId, contentId)) ?? -1;
  }

  /** Adds an item that is not there, first seen at log time `time` (ms). */
  add(creatorId: CreatorId, contentId: ContentId, time: number): number {
    if (this.#size === this.#capacity) {
      this.#resize(this.#capacity * 2);
    }
    const item = this.#size++;
    for (const name of columnNames) {
      this.columns[name][item] = 0;
    }
    this.columns.since[item] = time;
    this.columns.lastSeen[item] = time;
    this.columns.uncountedAt[item] = -1;
    this.#perMinute.fill(0, item * MINUTES, (item + 1) * MINUTES);
    this.#name(item, creatorId, contentId);
    return item;
  }

  creatorOf(item: number): Creator | undefined {
    return this.#creators[item];
  }

  contentIdOf(item: number): ContentId | undefined {
    return this.#contentIds[item];
  }

  creator(creatorId: CreatorId): Creator | undefined {
    return this.#byCreator.get(creatorId);
  }

  creatorIds(): CreatorId[] {
    return [...this.#byCreator.values()].map((creator) => creator.id);
  }

  /** Notes that a creator's numbers changed. */
  touch(item: number): void {
    const creator = this.#creators[item];
    if (creator !== undefined && !creator.changed) {
      creator.changed = true;
      this.#changed.push(creator.id);
    }
  }

  /** The creators whose numbers changed since the last call, those that vanished too. */
  takeChanged(): CreatorId[] {
    const changed = this.#changed;
    this.#changed = [];
    for (const id of changed) {
      const creator = this.#byCreator.get(id);
      if (creator !== undefined) {
        creator.changed = false;
      }
    }
    return changed;
  }

  /** Counts a view in a minute since the epoch; one older than the hour kept is left out. */
  countViewIn(item: number, minute: number): void {
    const newest = this.columns.minute[item] ?? 0;
    const base = item * MINUTES;
    if (minute > newest) {
      const passed = Math.min(MINUTES, minute - newest);
      for (let back = 0; back < passed; back++) {
        this.#perMinute[base + ((minute - back) % MINUTES)] = 0;
      }
      this.columns.minute[item] = minute;
    }
    if (minute > (this.columns.minute[item] ?? 0) - MINUTES) {
      const at = base + (minute % MINUTES);
      this.#perMinute[at] = (this.#perMinute[at] ?? 0) + 1;
    }
  }

  /** Views per minute, oldest first, ending with the item's newest minute. */
  viewsPerMinute(item: number): { firstMinute: number; counts: number[] } {
    const newest = this.columns.minute[item] ?? 0;
    const counts: number[] = [];
    for (let minute = newest - MINUTES + 1; minute <= newest; minute++) {
      const count = minute < 0 ? 0 : (this.#perMinute[item * MINUTES + (minute % MINUTES)] ?? 0);
      if (count > 0 || counts.length > 0) {
        counts.push(count);
      }
    }
    return { firstMinute: newest - counts.length + 1, counts };
  }

  /** Sets what `viewsPerMinute` gave. */
  restoreViewsPerMinute(item: number, firstMinute: number, counts: readonly number[]): void {
    counts.forEach((count, i) => {
      this.#perMinute[item * MINUTES + ((firstMinute + i) % MINUTES)] = count;
    });
  }

  /**
   * Drops items and renumbers the others, keeping their order.
   * @returns the new number of each old one, -1 for the dropped
   */
  drop(isDropped: (item: number) => boolean): Int32Array {
    const newNumbers = new Int32Array(this.#size).fill(-1);
    let kept = 0;
    for (let item = 0; item < this.#size; item++) {
      if (isDropped(item)) {
        this.touch(item);
      } else {
        newNumbers[item] = kept++;
      }
    }
    this.#renumber(newNumbers, kept);
    return newNumbers;
  }

  #renumber(newNumbers: Int32Array, kept: number): void {
    const contentIds = this.#contentIds;
    const creators = this.#creators;
    this.#contentIds = [];
    this.#creators = [];
    this.#byContent.clear();
    const changed = new Set(this.#changed);
    this.#byCreator.clear();
    newNumbers.forEach((to, from) => {
      const contentId = contentIds[from];
      const creator = creators[from];
      if (to < 0 || contentId === undefined || creator === undefined) {
        return;
      }
      for (const name of columnNames) {
        this.columns[name][to] = this.columns[name][from] ?? 0;
      }
      this.#perMinute.copyWithin(to * MINUTES, from * MINUTES, (from + 1) * MINUTES);
      this.#name(to, creator.id, contentId);
    });
    for (const creator of this.#byCreator.values()) {
      creator.changed = changed.has(creator.id);
    }
    this.#size = kept;
    if (this.#capacity > FIRST_CAPACITY && kept * 4 < this.#capacity) {
      this.#resize(this.#capacity / 2);
    }
  }

  #name(item: number, creatorId: CreatorId, contentId: ContentId): void {
    let creator = this.#byCreator.get(creatorId);
    if (creator === undefined) {
      creator = { id: creatorId, items: [], changed: false };
      this.#byCreator.set(creatorId, creator);
    }
    creator.items.push(item);
    this.#creators[item] = creator;
    this.#contentIds[item] = contentId;
    // The same content under two creators is the exception: only then does the key name both.
    this.#byContent.set(this.#byContent.has(contentId) ? pairKey(creatorId, contentId) : contentId, item);
  }

  #resize(capacity: number): void {
    const columns = makeColumns(capacity);
    for (const name of columnNames) {
      columns[name].set(this.columns[name].subarray(0, this.#size));
    }
    const perMinute = new Uint32Array(capacity * MINUTES);
    perMinute.set(this.#perMinute.subarray(0, this.#size * MINUTES));
    this.columns = columns;
    this.#perMinute = perMinute;
    this.#capacity = capacity;
  }
}

/** No id holds a space, so the pair cannot be mistaken for a content id. */
function pairKey(creatorId: string, contentId: string): string {
  return `${creatorId} ${contentId}`;
}

function makeColumns(capacity: number): ItemColumns {
  const column = () => new Float64Array(capacity);
  return {
    views: column(),
    likes: column(),
    shares: column(),
    completions: column(),
    watchSeconds: column(),
    since: column(),
    lastSeen: column(),
    viewers: column(),
    peak: column(),
    peakAt: column(),
    minute: column(),
    uncountedAt: column(),
  };
}
