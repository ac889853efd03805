// All that the fold of a partition knows: a function of the records read since `since`, and nothing else.
import type { Crowd } from "./crowd.ts";
import { ItemTable, MAX_ITEMS } from "./item-table.ts";
import { RECENT_LIMIT, RecentEvents } from "./recent-events.ts";
import { SessionTable } from "./session-table.ts";
import type { Stream, StreamResult } from "./stream.ts";

/** Bounds of memory. Tests set them low. */
export interface FoldLimits {
  /** Sessions remembered; at twice the 250,000 that are promised there is room for those that left lately. */
  readonly sessions: number;
  readonly items: number;
  readonly recentEvents: number;
  /** The fewest viewers for which a sketch is smaller than the sessions it replaces. */
  readonly crowd: number;
  /** Streams with a sketch of their sessions, 4 KiB each. */
  readonly sketchedStreams: number;
}

export const defaultFoldLimits: FoldLimits = {
  sessions: 524_288,
  items: MAX_ITEMS,
  recentEvents: RECENT_LIMIT,
  crowd: 4_096,
  sketchedStreams: 4_096,
};

/** The most skipped types told apart; others are counted together. */
const MAX_SKIPPED_TYPES = 50;

/** What became of the records, since the state was built. */
export interface FoldStats {
  records: number;
  accepted: number;
  duplicates: number;
  rejected: number;
  readonly skippedTypes: Map<string, number>;
}

/** State of one engagement partition. */
export interface FoldState {
  /** Log time in ms: the running maximum of the records' timestamps. */
  time: number;
  readonly recent: RecentEvents;
  readonly sessions: SessionTable;
  readonly items: ItemTable;
  /** Open streams by item number. */
  readonly streams: Map<number, Stream>;
  /** Items whose viewers are only sketched. */
  readonly crowds: Map<number, Crowd>;
  /** Streams that ended and whose hubs have not said that they know. */
  readonly ended: StreamResult[];
  readonly stats: FoldStats;
  /** Log time in seconds when room for sessions was last sought: at most once a second. */
  roomSoughtAt: number;
}

/** The state before the first record. */
export function emptyFoldState(limits: FoldLimits): FoldState {
  return {
    time: 0,
    recent: new RecentEvents(limits.recentEvents),
    sessions: new SessionTable(),
    items: new ItemTable(),
    streams: new Map(),
    crowds: new Map(),
    ended: [],
    stats: { records: 0, accepted: 0, duplicates: 0, rejected: 0, skippedTypes: new Map() },
    roomSoughtAt: -1,
  };
}

/** Counts an event of a type that is not known. */
export function countSkipped(stats: FoldStats, type: string): void {
  const isKnown = stats.skippedTypes.has(type) || stats.skippedTypes.size < MAX_SKIPPED_TYPES;
  const name = isKnown ? type.slice(0, 100) : "other";
  stats.skippedTypes.set(name, (stats.skippedTypes.get(name) ?? 0) + 1);
}
