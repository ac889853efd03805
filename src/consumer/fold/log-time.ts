// What the passing of log time does to the state: sessions stop counting, streams end, quiet things are forgotten.
import type { FoldState } from "./fold-state.ts";
import { WINDOW_MS } from "./session-table.ts";
import { STREAM_QUIET_MS, type StreamResult } from "./stream.ts";

/** Content idle for this long (log time) is dropped. */
export const ITEM_IDLE_MS = 48 * 3_600_000;
/** Later instants are a producer's mistake (microseconds for milliseconds): they do not move log time. Year 2100. */
const MAX_INSTANT = 4_102_444_800_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Moves a state's log time and does what is due. */
export class LogTime {
  readonly #state: FoldState;
  /** No open stream is quiet before this instant. */
  #nextStreamCheck = 0;
  readonly #expired: (item: number) => void;

  constructor(state: FoldState) {
    this.#state = state;
    this.#expired = (item) => {
      const { viewers } = state.items.columns;
      viewers[item] = (viewers[item] ?? 0) - 1;
      state.items.touch(item);
    };
  }

  /** Takes a record's timestamp (ms) into account. */
  advance(timestamp: number): void {
    const { time } = this.#state;
    const to = Math.floor(timestamp);
    if (!(to > time && to < MAX_INSTANT)) {
      return;
    }
    const minute = Math.floor(to / MINUTE_MS);
    if (Math.floor(time / MINUTE_MS) < minute) {
      this.#crossMinutes(Math.floor(time / MINUTE_MS) + 1, minute);
      if (Math.floor(time / HOUR_MS) < Math.floor(to / HOUR_MS)) {
        this.#dropIdleItems();
      }
    }
    this.#moveTo(to);
  }

  #crossMinutes(first: number, last: number): void {
    const { sessions, streams, crowds, items } = this.#state;
    for (let minute = first; minute <= last; minute++) {
      if (sessions.liveCount === 0 && streams.size === 0 && crowds.size === 0) {
        break;
      }
      this.#moveTo(minute * MINUTE_MS);
      for (const [item, stream] of streams) {
        stream.observe(items.columns.viewers[item] ?? 0, minute * MINUTE_MS);
      }
    }
    this.#moveTo(last * MINUTE_MS);
    sessions.forgetQuiet();
  }

  #moveTo(time: number): void {
    const state = this.#state;
    const second = Math.floor(state.time / 1_000);
    state.sessions.advance(time, this.#expired);
    state.time = time;
    if (state.crowds.size > 0 && Math.floor(time / 1_000) > second) {
      this.#recountCrowds();
    }
    if (time >= this.#nextStreamCheck) {
      this.#endQuietStreams();
    }
  }

  #recountCrowds(): void {
    const { crowds, items, streams, time } = this.#state;
    const { viewers, peak, peakAt } = items.columns;
    for (const [item, crowd] of crowds) {
      const count = crowd.viewers(time);
      if (count === 0) {
        crowds.delete(item);
      }
      if (count !== viewers[item]) {
        viewers[item] = count;
        items.touch(item);
      }
      if (count > (peak[item] ?? 0)) {
        peak[item] = count;
        peakAt[item] = time;
      }
      streams.get(item)?.observe(count, time);
    }
  }

  #endQuietStreams(): void {
    const { streams, time } = this.#state;
    let oldestBeat = time;
    for (const [item, stream] of streams) {
      if (stream.isQuiet(time)) {
        endStream(this.#state, item);
      } else {
        oldestBeat = Math.min(oldestBeat, stream.lastBeatAt);
      }
    }
    this.#nextStreamCheck = oldestBeat + STREAM_QUIET_MS;
  }

  #dropIdleItems(): void {
    const { items, time } = this.#state;
    const before = time - ITEM_IDLE_MS;
    const isIdle = (item: number) => (items.columns.lastSeen[item] ?? 0) <= before;
    for (let item = 0; item < items.size; item++) {
      if (isIdle(item)) {
        dropItems(this.#state, isIdle);
        return;
      }
    }
  }
}

/** Ends an item's stream and puts its numbers where they wait for the hub. */
export function endStream(state: FoldState, item: number): void {
  const result = streamSoFar(state, item);
  state.streams.delete(item);
  if (result !== null) {
    state.ended.push(result);
    state.items.touch(item);
  }
}

/** What the item's open stream did so far; null when it has none. */
export function streamSoFar(state: FoldState, item: number): StreamResult | null {
  const stream = state.streams.get(item);
  const creator = state.items.creatorOf(item);
  const contentId = state.items.contentIdOf(item);
  if (stream === undefined || creator === undefined || contentId === undefined) {
    return null;
  }
  const approximate = isApproximate(state, item, state.time);
  return stream.result({ creatorId: creator.id, contentId }, countsOf(state, item), approximate, state.stats.records);
}

/** Ends every open stream: the log goes on elsewhere. */
export function endStreams(state: FoldState): void {
  for (const item of state.streams.keys()) {
    endStream(state, item);
  }
}

/** What is counted of an item now. */
export function countsOf(state: FoldState, item: number) {
  const { views, watchSeconds, likes, shares } = state.items.columns;
  return {
    views: views[item] ?? 0,
    watchSeconds: watchSeconds[item] ?? 0,
    likes: likes[item] ?? 0,
    shares: shares[item] ?? 0,
  };
}

/** True when an item's viewers at `time` are estimated. */
export function isApproximate(state: FoldState, item: number, time: number): boolean {
  const uncountedAt = state.items.columns.uncountedAt[item] ?? -1;
  return state.crowds.has(item) || (uncountedAt >= 0 && uncountedAt > time - WINDOW_MS);
}

/** Drops items with all that belongs to them, and gives the others new numbers. */
export function dropItems(state: FoldState, isDropped: (item: number) => boolean): void {
  for (const item of state.streams.keys()) {
    if (isDropped(item)) {
      endStream(state, item);
    }
  }
  const newNumbers = state.items.drop(isDropped);
  state.sessions.renumberItems(newNumbers);
  renumberKeys(state.streams, newNumbers);
  renumberKeys(state.crowds, newNumbers);
}

function renumberKeys<Value>(map: Map<number, Value>, newNumbers: Int32Array): void {
  const entries = [...map];
  map.clear();
  for (const [item, value] of entries) {
    const to = newNumbers[item] ?? -1;
    if (to >= 0) {
      map.set(to, value);
    }
  }
}
