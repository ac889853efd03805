// Viewing sessions in typed arrays: which item each one watches, and whether it still counts. About 45 bytes a session
// with its index, where a Map of objects takes 200. Entries keep their order of arrival, so equal logs give equal tables.
import { LIVE_WINDOW_SECONDS } from "../../contract/live-frames.ts";

/** A session counts for this long after its last beat: distinct sessions with a beat in (now − window, now]. */
export const WINDOW_MS = LIVE_WINDOW_SECONDS * 1_000;
/** A quiet session's newest beat is remembered this long (seconds of log time), as long as other events' ids. */
export const SESSION_MEMORY_SECONDS = 600;
/** Slots of one millisecond each; a power of two above the window. */
const WHEEL_SLOTS = 65_536;
const FIRST_CAPACITY = 1_024;
const NONE = -1;
/** No item has this number. */
const FORGOTTEN = 0xffffffff;

/** Columns of the table: what a checkpoint holds. */
export interface SessionColumns {
  readonly size: number;
  readonly keyLo: Uint32Array;
  readonly keyHi: Uint32Array;
  /** The latest item, by its number. */
  readonly item: Uint32Array;
  /** The session's own clock at its newest accepted beat, ms: the order of its beats. */
  readonly newest: Float64Array;
  /** The newest beat's time, never after log time, ms: the start of the window. */
  readonly beatAt: Float64Array;
  /** Log time in seconds when it was last heard of. */
  readonly touched: Uint32Array;
  /** 1 while the session counts as a viewer of its item. */
  readonly live: Uint8Array;
}

/** Viewing sessions by the hash of (creator, session). */
export class SessionTable {
  #size = 0;
  #liveCount = 0;
  #keyLo = new Uint32Array(FIRST_CAPACITY);
  #keyHi = new Uint32Array(FIRST_CAPACITY);
  #item = new Uint32Array(FIRST_CAPACITY);
  #newest = new Float64Array(FIRST_CAPACITY);
  #beatAt = new Float64Array(FIRST_CAPACITY);
  #touched = new Uint32Array(FIRST_CAPACITY);
  #live = new Uint8Array(FIRST_CAPACITY);
  /** Entry numbers plus one, 0 where free. */
  #index = new Uint32Array(FIRST_CAPACITY * 2);
  /** Each live session waits in the slot of a millisecond at or before its expiry; a beat does not move it. */
  readonly #wheel = new Int32Array(WHEEL_SLOTS).fill(NONE);
  #nextInSlot = new Int32Array(FIRST_CAPACITY);
  #waits = new Uint8Array(FIRST_CAPACITY);
  #time = 0;

  get size(): number {
    return this.#size;
  }

  get liveCount(): number {
    return this.#liveCount;
  }

  /** The entry of a session, or -1. */
  find(lo: number, hi: number): number {
    const mask = this.#index.length - 1;
    let slot = lo & mask;
    for (let found = this.#index[slot] ?? 0; found !== 0; found = this.#index[slot] ?? 0) {
      if (this.#keyLo[found - 1] === lo && this.#keyHi[found - 1] === hi) {
        return found - 1;
      }
      slot = (slot + 1) & mask;
    }
    return NONE;
  }

  newestOf(entry: number): number {
    return this.#newest[entry] ?? 0;
  }

  itemOf(entry: number): number {
    return this.#item[entry] ?? 0;
  }

  isLive(entry: number): boolean {
    return this.#live[entry] === 1;
  }

  /** Adds a session that is not in the table; it does not count yet. */
  add(lo: number, hi: number, item: number): number {
    if (this.#size === this.#keyLo.length) {
      this.#grow();
    }
    const entry = this.#size++;
    this.#keyLo[entry] = lo;
    this.#keyHi[entry] = hi;
    this.#item[entry] = item;
    this.#live[entry] = 0;
    this.#waits[entry] = 0;
    this.#enter(entry);
    return entry;
  }

  /** Notes an accepted beat: the session watches `item` from now on. `live` is whether it counts as a viewer. */
  beat(entry: number, item: number, newest: number, beatAt: number, live: boolean): void {
    this.#item[entry] = item;
    this.#newest[entry] = newest;
    this.#beatAt[entry] = beatAt;
    this.#touched[entry] = Math.floor(this.#time / 1_000);
    const was = this.#live[entry] === 1;
    if (live !== was) {
      this.#live[entry] = live ? 1 : 0;
      this.#liveCount += live ? 1 : -1;
    }
    if (live && this.#waits[entry] === 0) {
      this.#wait(entry);
    }
  }

  /** Notes a beat that changes only the order of the session's beats: the end of an item it no longer watches. */
  note(entry: number, newest: number): void {
    this.#newest[entry] = newest;
    this.#touched[entry] = Math.floor(this.#time / 1_000);
  }

  /** Moves to `time` (ms, not before the last) and calls `expired` with the item of each session that stops counting. */
  advance(time: number, expired: (item: number) => void): void {
    const last = Math.min(time, this.#time + WHEEL_SLOTS);
    for (let at = this.#time + 1; at <= last; at++) {
      let entry = this.#wheel[at & (WHEEL_SLOTS - 1)] ?? NONE;
      if (entry === NONE) {
        continue;
      }
      this.#wheel[at & (WHEEL_SLOTS - 1)] = NONE;
      while (entry !== NONE) {
        const next = this.#nextInSlot[entry] ?? NONE;
        this.#waits[entry] = 0;
        if (this.#live[entry] === 1) {
          this.#expireOrWait(entry, at, expired);
        }
        entry = next;
      }
    }
    this.#time = time;
  }

  /** Calls `visit` with the item of each session that will have stopped counting at `time`, a later instant. */
  forEachExpiredBy(time: number, visit: (item: number) => void): void {
    const last = Math.min(time, this.#time + WHEEL_SLOTS);
    for (let at = this.#time + 1; at <= last; at++) {
      let entry = this.#wheel[at & (WHEEL_SLOTS - 1)] ?? NONE;
      for (; entry !== NONE; entry = this.#nextInSlot[entry] ?? NONE) {
        if (this.#live[entry] === 1 && (this.#beatAt[entry] ?? 0) + WINDOW_MS <= time) {
          visit(this.#item[entry] ?? 0);
        }
      }
    }
  }

  /** Calls `visit` for every session that counts as a viewer of `item`, with its key and the time of its newest beat. */
  forEachLiveOn(item: number, visit: (lo: number, hi: number, beatAt: number) => void): void {
    for (let entry = 0; entry < this.#size; entry++) {
      if (this.#live[entry] === 1 && this.#item[entry] === item) {
        visit(this.#keyLo[entry] ?? 0, this.#keyHi[entry] ?? 0, this.#beatAt[entry] ?? 0);
      }
    }
  }

  /** Forgets sessions that have been quiet for `SESSION_MEMORY_SECONDS`. */
  forgetQuiet(): void {
    const before = Math.floor(this.#time / 1_000) - SESSION_MEMORY_SECONDS;
    const isQuiet = (entry: number) => this.#live[entry] === 0 && (this.#touched[entry] ?? 0) <= before;
    for (let entry = 0; entry < this.#size; entry++) {
      if (isQuiet(entry)) {
        this.#keep((kept) => !isQuiet(kept));
        return;
      }
    }
  }

  /** Forgets every session that does not count, to make room. */
  forgetAllQuiet(): void {
    this.#keep((entry) => this.#live[entry] === 1);
  }

  /** Forgets the sessions of one item. */
  forgetItem(item: number): void {
    this.#keep((entry) => this.#item[entry] !== item);
  }

  /** Gives items new numbers and forgets the sessions of items that have none (-1). */
  renumberItems(newNumbers: Int32Array): void {
    let forgotten = 0;
    for (let entry = 0; entry < this.#size; entry++) {
      const item = newNumbers[this.#item[entry] ?? 0] ?? NONE;
      this.#item[entry] = item === NONE ? FORGOTTEN : item;
      forgotten += item === NONE ? 1 : 0;
    }
    if (forgotten > 0) {
      this.#keep((entry) => this.#item[entry] !== FORGOTTEN);
    }
  }

  /** The columns themselves, `size` entries long: copy before the next change. */
  columns(): SessionColumns {
    return {
      size: this.#size,
      keyLo: this.#keyLo.subarray(0, this.#size),
      keyHi: this.#keyHi.subarray(0, this.#size),
      item: this.#item.subarray(0, this.#size),
      newest: this.#newest.subarray(0, this.#size),
      beatAt: this.#beatAt.subarray(0, this.#size),
      touched: this.#touched.subarray(0, this.#size),
      live: this.#live.subarray(0, this.#size),
    };
  }

  /** The table that gave these columns at log time `time` (ms). */
  static from(columns: SessionColumns, time: number): SessionTable {
    const table = new SessionTable();
    table.#time = time;
    table.#allocate(Math.max(FIRST_CAPACITY, 2 ** Math.ceil(Math.log2(columns.size + 1))));
    table.#size = columns.size;
    table.#keyLo.set(columns.keyLo);
    table.#keyHi.set(columns.keyHi);
    table.#item.set(columns.item);
    table.#newest.set(columns.newest);
    table.#beatAt.set(columns.beatAt);
    table.#touched.set(columns.touched);
    table.#live.set(columns.live);
    table.#rebuild();
    return table;
  }

  #expireOrWait(entry: number, at: number, expired: (item: number) => void): void {
    if ((this.#beatAt[entry] ?? 0) + WINDOW_MS > at) {
      this.#wait(entry);
      return;
    }
    this.#live[entry] = 0;
    this.#liveCount--;
    expired(this.#item[entry] ?? 0);
  }

  #wait(entry: number): void {
    const slot = ((this.#beatAt[entry] ?? 0) + WINDOW_MS) & (WHEEL_SLOTS - 1);
    this.#nextInSlot[entry] = this.#wheel[slot] ?? NONE;
    this.#wheel[slot] = entry;
    this.#waits[entry] = 1;
  }

  #enter(entry: number): void {
    const mask = this.#index.length - 1;
    let slot = (this.#keyLo[entry] ?? 0) & mask;
    while (this.#index[slot] !== 0) {
      slot = (slot + 1) & mask;
    }
    this.#index[slot] = entry + 1;
  }

  #keep(isKept: (entry: number) => boolean): void {
    let to = 0;
    let live = 0;
    for (let from = 0; from < this.#size; from++) {
      if (!isKept(from)) {
        continue;
      }
      this.#keyLo[to] = this.#keyLo[from] ?? 0;
      this.#keyHi[to] = this.#keyHi[from] ?? 0;
      this.#item[to] = this.#item[from] ?? 0;
      this.#newest[to] = this.#newest[from] ?? 0;
      this.#beatAt[to] = this.#beatAt[from] ?? 0;
      this.#touched[to] = this.#touched[from] ?? 0;
      this.#live[to] = this.#live[from] ?? 0;
      live += this.#live[to] ?? 0;
      to++;
    }
    this.#size = to;
    this.#liveCount = live;
    this.#rebuild();
  }

  #rebuild(): void {
    this.#index.fill(0);
    this.#wheel.fill(NONE);
    this.#liveCount = 0;
    for (let entry = 0; entry < this.#size; entry++) {
      this.#waits[entry] = 0;
      this.#enter(entry);
      if (this.#live[entry] === 1) {
        this.#liveCount++;
        this.#wait(entry);
      }
    }
  }

  #grow(): void {
    const before = this.columns();
    this.#allocate(this.#keyLo.length * 2);
    this.#keyLo.set(before.keyLo);
    this.#keyHi.set(before.keyHi);
    this.#item.set(before.item);
    this.#newest.set(before.newest);
    this.#beatAt.set(before.beatAt);
    this.#touched.set(before.touched);
    this.#live.set(before.live);
    this.#rebuild();
  }

  #allocate(capacity: number): void {
    this.#keyLo = new Uint32Array(capacity);
    this.#keyHi = new Uint32Array(capacity);
    this.#item = new Uint32Array(capacity);
    this.#newest = new Float64Array(capacity);
    this.#beatAt = new Float64Array(capacity);
    this.#touched = new Uint32Array(capacity);
    this.#live = new Uint8Array(capacity);
    this.#nextInSlot = new Int32Array(capacity);
    this.#waits = new Uint8Array(capacity);
    this.#index = new Uint32Array(capacity * 2);
  }
}
