// Which event ids were seen lately, so that a producer's repeat counts once. A ring in order of arrival beside an
// open-addressing index; exact up to collisions of 64-bit hashes, and a function of what was asked, in order.

/** A producer's repeat comes within this many seconds of log time, or within the last `RECENT_LIMIT` events. */
export const RECENT_SECONDS = 600;
/** Bounds memory: 12 bytes an event and 8 of index, 20 MiB at most. */
export const RECENT_LIMIT = 1_000_000;
const FIRST_CAPACITY = 1_024;

/** The recent hashes, oldest first: what a checkpoint holds. */
export interface RecentEntries {
  readonly lo: Uint32Array;
  readonly hi: Uint32Array;
  /** Log time in whole seconds, never falling. */
  readonly seconds: Uint32Array;
}

/** Remembers 64-bit hashes for `RECENT_SECONDS`, at most `limit` of them. */
export class RecentEvents {
  readonly #limit: number;
  #lo = new Uint32Array(FIRST_CAPACITY);
  #hi = new Uint32Array(FIRST_CAPACITY);
  #seconds = new Uint32Array(FIRST_CAPACITY);
  /** Ring positions plus one, 0 where free; twice as long as the ring. */
  #index = new Uint32Array(FIRST_CAPACITY * 2);
  #first = 0;
  #size = 0;

  constructor(limit = RECENT_LIMIT) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Remembers a hash at an instant of log time in seconds.
   * @returns false when it is remembered already: the event is a repeat
   */
  remember(lo: number, hi: number, second: number): boolean {
    this.#expire(second);
    const mask = this.#index.length - 1;
    let slot = lo & mask;
    for (let found = this.#index[slot] ?? 0; found !== 0; found = this.#index[slot] ?? 0) {
      if (this.#lo[found - 1] === lo && this.#hi[found - 1] === hi) {
        return false;
      }
      slot = (slot + 1) & mask;
    }
    if (this.#size === this.#limit) {
      this.#forgetOldest();
    } else if (this.#size === this.#lo.length) {
      this.#grow();
    }
    this.#append(lo, hi, second);
    return true;
  }

  /** A copy, oldest first. */
  entries(): RecentEntries {
    return { lo: this.#inOrder(this.#lo), hi: this.#inOrder(this.#hi), seconds: this.#inOrder(this.#seconds) };
  }

  /** The filter that gave these entries. */
  static from(entries: RecentEntries, limit = RECENT_LIMIT): RecentEvents {
    const recent = new RecentEvents(limit);
    recent.#allocate(Math.max(FIRST_CAPACITY, powerOfTwo(entries.lo.length)));
    for (let i = 0; i < entries.lo.length; i++) {
      recent.#append(entries.lo[i] ?? 0, entries.hi[i] ?? 0, entries.seconds[i] ?? 0);
    }
    return recent;
  }

  #expire(second: number): void {
    while (this.#size > 0 && (this.#seconds[this.#first] ?? 0) + RECENT_SECONDS <= second) {
      this.#forgetOldest();
    }
  }

  #append(lo: number, hi: number, second: number): void {
    const at = (this.#first + this.#size) & (this.#lo.length - 1);
    this.#lo[at] = lo;
    this.#hi[at] = hi;
    this.#seconds[at] = second;
    this.#size++;
    const mask = this.#index.length - 1;
    let slot = lo & mask;
    while (this.#index[slot] !== 0) {
      slot = (slot + 1) & mask;
    }
    this.#index[slot] = at + 1;
  }

  #forgetOldest(): void {
    const mask = this.#index.length - 1;
    let slot = (this.#lo[this.#first] ?? 0) & mask;
    while (this.#index[slot] !== this.#first + 1) {
      slot = (slot + 1) & mask;
    }
    this.#closeHole(slot, mask);
    this.#first = (this.#first + 1) & (this.#lo.length - 1);
    this.#size--;
  }

  /** Removes a slot of the index and moves later ones of its run forward, so that searches never meet a hole. */
  #closeHole(slot: number, mask: number): void {
    let hole = slot;
    for (let next = (hole + 1) & mask; this.#index[next] !== 0; next = (next + 1) & mask) {
      const home = (this.#lo[(this.#index[next] ?? 0) - 1] ?? 0) & mask;
      // The entry may move to the hole unless its home lies behind the hole, up to where it is.
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        this.#index[hole] = this.#index[next] ?? 0;
        hole = next;
      }
    }
    this.#index[hole] = 0;
  }

  #grow(): void {
    const entries = this.entries();
    this.#allocate(this.#lo.length * 2);
    for (let i = 0; i < entries.lo.length; i++) {
      this.#append(entries.lo[i] ?? 0, entries.hi[i] ?? 0, entries.seconds[i] ?? 0);
    }
  }

  #allocate(capacity: number): void {
    this.#lo = new Uint32Array(capacity);
    this.#hi = new Uint32Array(capacity);
    this.#seconds = new Uint32Array(capacity);
    this.#index = new Uint32Array(capacity * 2);
    this.#first = 0;
    this.#size = 0;
  }

  #inOrder(column: Uint32Array): Uint32Array {
    const ordered = new Uint32Array(this.#size);
    const head = Math.min(this.#size, column.length - this.#first);
    ordered.set(column.subarray(this.#first, this.#first + head));
    ordered.set(column.subarray(0, this.#size - head), head);
    return ordered;
  }
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)));
}
