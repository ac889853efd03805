// A fold's state ⇄ bytes. Encoding is one synchronous copy; a decoded state goes on exactly as the encoded one.
import type { ContentId, CreatorId } from "../../contract/ids.ts";
import { Crowd, CROWD_BUCKETS } from "../fold/crowd.ts";
import { emptyFoldState, type FoldLimits, type FoldState } from "../fold/fold-state.ts";
import { HLL_REGISTERS } from "../fold/hyper-log-log.ts";
import { ItemTable } from "../fold/item-table.ts";
import { RecentEvents } from "../fold/recent-events.ts";
import { SessionTable } from "../fold/session-table.ts";
import { Stream, type StreamResult } from "../fold/stream.ts";
import { UniqueSessions } from "../fold/unique-sessions.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";

/** Rises with the format; another version's checkpoint cannot be read, and the state is rebuilt under a new epoch. */
const FORMAT = 1;
/** A generous bound against damaged counts: no list is longer. */
const MAX_COUNT = 4_194_304;

/** Copies a state into parts of at most `PART_BYTES`. */
export function encodeFold(state: FoldState): Uint8Array[] {
  const out = new ByteWriter();
  out.integer(FORMAT);
  out.integer(state.time);
  out.float(state.roomSoughtAt);
  writeStats(out, state);
  writeItems(out, state.items);
  writeSessions(out, state);
  writeRecent(out, state.recent);
  out.integer(state.streams.size);
  for (const [item, stream] of state.streams) {
    out.integer(item);
    writeStream(out, stream);
  }
  out.integer(state.crowds.size);
  for (const [item, crowd] of state.crowds) {
    out.integer(item);
    for (let at = 0; at < CROWD_BUCKETS; at++) {
      out.float(crowd.buckets[at] ?? -1);
      out.raw(crowd.sketches[at] ?? new Uint8Array(HLL_REGISTERS));
    }
  }
  out.integer(state.ended.length);
  for (const result of state.ended) {
    writeResult(out, result);
  }
  return out.finish();
}

/** The state in parts of `encodeFold`. Throws when they are damaged or of another format. */
export function decodeFold(parts: readonly Uint8Array[], limits: FoldLimits): FoldState {
  const input = new ByteReader(parts);
  if (input.integer() !== FORMAT) {
    throw new RangeError("checkpoint of another format");
  }
  const state = emptyFoldState(limits);
  state.time = input.integer();
  state.roomSoughtAt = input.float();
  readStats(input, state);
  const items = readItems(input);
  const sessions = readSessions(input, state.time);
  const recent = readRecent(input, limits);
  for (let count = readCount(input); count > 0; count--) {
    const item = input.integer();
    state.streams.set(item, readStream(input));
  }
  for (let count = readCount(input); count > 0; count--) {
    const item = input.integer();
    state.crowds.set(item, readCrowd(input));
  }
  for (let count = readCount(input); count > 0; count--) {
    state.ended.push(readResult(input));
  }
  input.end();
  return { ...state, items, sessions, recent };
}

function readCount(input: ByteReader): number {
  const count = input.integer();
  if (count > MAX_COUNT) {
    throw new RangeError("checkpoint with an impossible count");
  }
  return count;
}

function writeStats(out: ByteWriter, { stats }: FoldState): void {
  out.integer(stats.records);
  out.integer(stats.accepted);
  out.integer(stats.duplicates);
  out.integer(stats.rejected);
  out.integer(stats.skippedTypes.size);
  for (const [type, count] of stats.skippedTypes) {
    out.text(type);
    out.integer(count);
  }
}

function readStats(input: ByteReader, { stats }: FoldState): void {
  stats.records = input.integer();
  stats.accepted = input.integer();
  stats.duplicates = input.integer();
  stats.rejected = input.integer();
  for (let count = readCount(input); count > 0; count--) {
    const type = input.text();
    stats.skippedTypes.set(type, input.integer());
  }
}

const countNames = [
  "views",
  "shares",
  "completions",
  "since",
  "lastSeen",
  "viewers",
  "peak",
  "peakAt",
  "minute",
] as const;
const floatNames = ["likes", "watchSeconds", "uncountedAt"] as const;

function writeItems(out: ByteWriter, items: ItemTable): void {
  out.integer(items.size);
  for (let item = 0; item < items.size; item++) {
    out.text(items.creatorOf(item)?.id ?? "");
    out.text(items.contentIdOf(item) ?? "");
    for (const name of countNames) {
      out.integer(items.columns[name][item] ?? 0);
    }
    for (const name of floatNames) {
      out.float(items.columns[name][item] ?? 0);
    }
    writeSeries(out, items.viewsPerMinute(item));
  }
}

function readItems(input: ByteReader): ItemTable {
  const items = new ItemTable();
  for (let count = readCount(input); count > 0; count--) {
    // Written by `writeItems` from ids that had their brands.
    const item = items.add(input.text() as CreatorId, input.text() as ContentId, 0);
    for (const name of countNames) {
      items.columns[name][item] = input.integer();
    }
    for (const name of floatNames) {
      items.columns[name][item] = input.float();
    }
    const { firstMinute, counts } = readSeries(input);
    items.restoreViewsPerMinute(item, firstMinute, counts);
  }
  return items;
}

function writeSeries(out: ByteWriter, series: { firstMinute: number; counts: readonly number[] }): void {
  out.integer(series.counts.length === 0 ? 0 : series.firstMinute);
  out.integer(series.counts.length);
  for (const count of series.counts) {
    out.integer(count);
  }
}

function readSeries(input: ByteReader): { firstMinute: number; counts: number[] } {
  const firstMinute = input.integer();
  const counts: number[] = [];
  for (let count = readCount(input); count > 0; count--) {
    counts.push(input.integer());
  }
  return { firstMinute, counts };
}

function writeSessions(out: ByteWriter, state: FoldState): void {
  const columns = state.sessions.columns();
  out.integer(columns.size);
  out.words(columns.keyLo);
  out.words(columns.keyHi);
  out.raw(columns.live);
  for (let entry = 0; entry < columns.size; entry++) {
    const newest = columns.newest[entry] ?? 0;
    const beatAt = columns.beatAt[entry] ?? 0;
    out.integer(columns.item[entry] ?? 0);
    out.integer(columns.touched[entry] ?? 0);
    // Most clocks are right: then the newest beat's time is its own, and one number says both.
    out.integer(newest === beatAt ? 0 : 1);
    out.float(newest);
    if (newest !== beatAt) {
      out.float(beatAt);
    }
  }
}

function readSessions(input: ByteReader, time: number): SessionTable {
  const size = readCount(input);
  const columns = {
    size,
    keyLo: input.words(size),
    keyHi: input.words(size),
    live: input.raw(size),
    item: new Uint32Array(size),
    touched: new Uint32Array(size),
    newest: new Float64Array(size),
    beatAt: new Float64Array(size),
  };
  for (let entry = 0; entry < size; entry++) {
    columns.item[entry] = input.integer();
    columns.touched[entry] = input.integer();
    const isClamped = input.integer() === 1;
    const newest = input.float();
    columns.newest[entry] = newest;
    columns.beatAt[entry] = isClamped ? input.float() : newest;
  }
  return SessionTable.from(columns, time);
}

function writeRecent(out: ByteWriter, recent: RecentEvents): void {
  const { lo, hi, seconds } = recent.entries();
  out.integer(lo.length);
  out.words(lo);
  out.words(hi);
  let before = 0;
  for (const second of seconds) {
    out.integer(second - before);
    before = second;
  }
}

function readRecent(input: ByteReader, limits: FoldLimits): RecentEvents {
  const size = readCount(input);
  const lo = input.words(size);
  const hi = input.words(size);
  const seconds = new Uint32Array(size);
  let second = 0;
  for (let i = 0; i < size; i++) {
    second += input.integer();
    seconds[i] = second;
  }
  return RecentEvents.from({ lo, hi, seconds }, limits.recentEvents);
}

function writeStream(out: ByteWriter, stream: Stream): void {
  out.integer(stream.startedAt);
  out.integer(stream.lastBeatAt);
  out.integer(stream.peak);
  out.integer(stream.peakAt);
  for (const value of [stream.before.views, stream.before.watchSeconds, stream.before.likes, stream.before.shares]) {
    out.float(value);
  }
  writeSeries(out, { firstMinute: stream.firstMinute, counts: stream.perMinute });
  const dump = stream.uniques?.dump();
  if (dump === undefined) {
    out.integer(0);
  } else if ("exact" in dump) {
    out.integer(1);
    out.integer(dump.exact.length);
    out.words(dump.exact);
  } else {
    out.integer(2);
    out.raw(dump.sketch);
  }
}

function readStream(input: ByteReader): Stream {
  const startedAt = input.integer();
  const lastBeatAt = input.integer();
  const peak = input.integer();
  const peakAt = input.integer();
  const before = {
    views: input.float(),
    watchSeconds: input.float(),
    likes: input.float(),
    shares: input.float(),
  };
  const { firstMinute, counts } = readSeries(input);
  const stream = new Stream(startedAt, before, readUniques(input));
  stream.lastBeatAt = lastBeatAt;
  stream.peak = peak;
  stream.peakAt = peakAt;
  stream.firstMinute = firstMinute;
  stream.perMinute = counts;
  return stream;
}

function readUniques(input: ByteReader): UniqueSessions | null {
  switch (input.integer()) {
    case 0:
      return null;
    case 1:
      return UniqueSessions.from({ exact: input.words(readCount(input)) });
    default:
      return UniqueSessions.from({ sketch: input.raw(HLL_REGISTERS).slice() });
  }
}

function readCrowd(input: ByteReader): Crowd {
  const buckets = new Float64Array(CROWD_BUCKETS);
  const sketches: Uint8Array[] = [];
  for (let at = 0; at < CROWD_BUCKETS; at++) {
    buckets[at] = input.float();
    sketches.push(input.raw(HLL_REGISTERS).slice());
  }
  return new Crowd(buckets, sketches);
}

function writeResult(out: ByteWriter, result: StreamResult): void {
  out.text(JSON.stringify(result));
}

function readResult(input: ByteReader): StreamResult {
  // Written by `writeResult`; the hub checks the share by its schema.
  return JSON.parse(input.text()) as StreamResult;
}
