// The fold of one engagement partition: (state, record) → state, a function of the log alone, so that a replay gives
// the same numbers. Nothing here reads a clock.
//
// - Log time is the running maximum of the records' timestamps. A beat's time is the smaller of its `occurredAt` and
//   log time; it starts the window in which its session counts as a viewer.
// - A session belongs to its creator, and counts for its latest item. Its beats (`view.started`, `view.heartbeat`,
//   `view.ended`) are ordered by its own clock, `occurredAt`: one not newer than its newest is a repeat or overtaken,
//   and ignored. So a repeat is known however wrong the session's clock is.
// - `view.ended` is a last beat: the session stops counting until a later beat. The end of an item that it no longer
//   watches ends nothing.
// - Other events, `view.started` as a view among them, are known by their `eventId`.
// - A live beat, one that carries `isLive` and is less than two minutes old, opens a stream or keeps it open.
import type { EngagementRecord } from "../decode/decode-engagement.ts";
import { countSkipped, defaultFoldLimits, emptyFoldState, type FoldLimits, type FoldState } from "./fold-state.ts";
import { Hash64 } from "./hash64.ts";
import { countsOf, LogTime } from "./log-time.ts";
import { makeRoomForItem, makeRoomForSession } from "./room.ts";
import { WINDOW_MS } from "./session-table.ts";
import { Stream, STREAM_QUIET_MS } from "./stream.ts";
import { UniqueSessions } from "./unique-sessions.ts";

/** One beat counts at most this many seconds of watching: four heartbeats. */
const MAX_WATCH_SECONDS = 60;

/** Folds records into a state. */
export class EngagementFold {
  readonly state: FoldState;
  readonly #limits: FoldLimits;
  readonly #logTime: LogTime;
  readonly #hash = new Hash64();

  constructor(state?: FoldState, limits: FoldLimits = defaultFoldLimits) {
    this.#limits = limits;
    this.state = state ?? emptyFoldState(limits);
    this.#logTime = new LogTime(this.state);
  }

  /** Takes an event at its record's timestamp (ms). */
  apply(timestamp: number, event: EngagementRecord): void {
    this.#logTime.advance(timestamp);
    this.state.stats.records++;
    if (this.#take(event)) {
      this.state.stats.accepted++;
    } else {
      this.state.stats.duplicates++;
    }
  }

  /** Takes a record whose event is of an unknown type: its timestamp counts, and it is counted. */
  skip(timestamp: number, type: string): void {
    this.#logTime.advance(timestamp);
    this.state.stats.records++;
    countSkipped(this.state.stats, type);
  }

  /** Takes a record that holds no event: its timestamp counts, and it is counted. */
  refuse(timestamp: number): void {
    this.#logTime.advance(timestamp);
    this.state.stats.records++;
    this.state.stats.rejected++;
  }

  /** @returns false for a repeat */
  #take(event: EngagementRecord): boolean {
    if (event.type === "view.heartbeat" || event.type === "view.ended") {
      return this.#beat(event, this.state.items.find(event.creatorId, event.contentId), false);
    }
    if (!this.#isNew(event.eventId)) {
      return false;
    }
    const item = this.#seenItem(event, this.state.items.find(event.creatorId, event.contentId));
    const { columns } = this.state.items;
    switch (event.type) {
      case "view.started":
        this.#beat(event, item, true);
        add(columns.views, item, 1);
        this.state.items.countViewIn(item, Math.max(0, Math.floor(this.#timeOf(event) / 60_000)));
        break;
      case "view.completed":
        add(columns.completions, item, 1);
        break;
      case "like.added":
        add(columns.likes, item, 1);
        break;
      case "like.removed":
        add(columns.likes, item, -1);
        break;
      case "share.created":
        add(columns.shares, item, 1);
        break;
    }
    return true;
  }

  #timeOf(event: EngagementRecord): number {
    return Math.min(event.occurredAt, this.state.time);
  }

  #isNew(eventId: string): boolean {
    const { lo, hi } = this.#hash.of(eventId);
    return this.state.recent.remember(lo, hi, Math.floor(this.state.time / 1_000));
  }

  /** The event's item, noted as changed now: `known`, or a new one when that is -1. */
  #seenItem(event: EngagementRecord, known: number): number {
    const { items } = this.state;
    let item = known;
    if (item < 0) {
      makeRoomForItem(this.state, this.#limits);
      item = items.add(event.creatorId, event.contentId, this.state.time);
    }
    items.columns.lastSeen[item] = this.state.time;
    items.touch(item);
    return item;
  }

  /** @returns whether the beat is accepted; `isNewEvent` when its event id has been checked already. */
  #beat(event: EngagementRecord, knownItem: number, isNewEvent: boolean): boolean {
    const { state } = this;
    const { lo, hi } = this.#hash.of(event.creatorId, event.sessionId);
    let entry = state.sessions.find(lo, hi);
    if (entry >= 0 && event.occurredAt <= state.sessions.newestOf(entry)) {
      return false;
    }
    const hasEntry = entry >= 0 || makeRoomForSession(state, this.#limits);
    const crowd = state.crowds.size > 0 ? state.crowds.get(knownItem) : undefined;
    if ((crowd !== undefined || !hasEntry) && !isNewEvent && !this.#isNew(event.eventId)) {
      return false;
    }
    const item = this.#seenItem(event, knownItem);
    if (item !== knownItem) {
      // Room for a new item may have moved or removed the session.
      entry = state.sessions.find(lo, hi);
    }
    const beatAt = this.#timeOf(event);
    const isEnd = event.type === "view.ended";
    if (event.isLive && !isEnd && state.time - beatAt < STREAM_QUIET_MS) {
      this.#liveBeat(item, lo, hi);
    }
    add(state.items.columns.watchSeconds, item, Math.min(MAX_WATCH_SECONDS, event.watchSeconds));
    const counts = !isEnd && beatAt + WINDOW_MS > state.time;
    if (crowd !== undefined) {
      this.#leave(entry, item, event.occurredAt, beatAt);
      if (counts) {
        crowd.add(lo, hi, beatAt);
      }
    } else if (!hasEntry) {
      state.items.columns.uncountedAt[item] = state.time;
    } else if (entry >= 0 && isEnd && state.sessions.itemOf(entry) !== item) {
      state.sessions.note(entry, event.occurredAt);
    } else {
      this.#watch(entry >= 0 ? entry : state.sessions.add(lo, hi, item), item, event.occurredAt, beatAt, counts);
    }
    return true;
  }

  /** A session goes to an item whose viewers are sketched: its entry, if it has one, counts nowhere. */
  #leave(entry: number, item: number, newest: number, beatAt: number): void {
    if (entry >= 0) {
      this.#stopCounting(entry);
      this.state.sessions.beat(entry, item, newest, beatAt, false);
    }
  }

  #watch(entry: number, item: number, newest: number, beatAt: number, counts: boolean): void {
    const { sessions } = this.state;
    const counted = sessions.isLive(entry) && sessions.itemOf(entry) === item;
    if (!counts || !counted) {
      this.#stopCounting(entry);
    }
    sessions.beat(entry, item, newest, beatAt, counts);
    if (counts && !counted) {
      this.#addViewer(item);
    }
  }

  #addViewer(item: number): void {
    const { viewers, peak, peakAt } = this.state.items.columns;
    const count = (viewers[item] ?? 0) + 1;
    viewers[item] = count;
    if (count > (peak[item] ?? 0)) {
      peak[item] = count;
      peakAt[item] = this.state.time;
    }
    this.state.streams.get(item)?.observe(count, this.state.time);
  }

  /** Takes a session that counts off its item. */
  #stopCounting(entry: number): void {
    const { sessions, items } = this.state;
    if (sessions.isLive(entry)) {
      const item = sessions.itemOf(entry);
      add(items.columns.viewers, item, -1);
      items.touch(item);
    }
  }

  #liveBeat(item: number, lo: number, hi: number): void {
    const { state } = this;
    let stream = state.streams.get(item);
    if (stream === undefined) {
      const uniques = state.streams.size < this.#limits.sketchedStreams ? new UniqueSessions() : null;
      stream = new Stream(state.time, countsOf(state, item), uniques);
      // Those who watch already are part of it.
      stream.observe(state.items.columns.viewers[item] ?? 0, state.time);
      state.streams.set(item, stream);
    }
    stream.lastBeatAt = state.time;
    stream.uniques?.add(lo, hi);
  }
}

function add(column: Float64Array, item: number, change: number): void {
  column[item] = (column[item] ?? 0) + change;
}
