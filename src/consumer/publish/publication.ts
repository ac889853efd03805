// The complete state of one source for one creator: totals over all items, and the items shown.
import type { CreatorId, Source } from "../../contract/ids.ts";
import {
  LIVE_RPC_VERSION,
  MAX_PUBLISHED_ITEMS,
  type Publish,
  type SourceItem,
  type SourceTotals,
} from "../../contract/live-rpc.ts";
import type { FoldState } from "../fold/fold-state.ts";
import { isApproximate } from "../fold/log-time.ts";
import { MINUTES } from "../fold/item-table.ts";

/** Where and as of when a publication stands. */
export interface Standpoint {
  readonly source: Source;
  readonly epoch: number;
  /** The next offset to read. */
  readonly offset: number;
  /** The instant (ms) that viewers are counted for: log time, or wall time while caught up. */
  readonly at: number;
  readonly caughtUp: boolean;
}

/** Viewers as of an instant that may lie after log time: the state itself stays as the log made it. */
export class ViewersAt {
  readonly at: number;
  readonly #state: FoldState;
  readonly #expired = new Map<number, number>();

  constructor(state: FoldState, at: number) {
    this.#state = state;
    this.at = Math.max(at, state.time);
    if (this.at > state.time) {
      state.sessions.forEachExpiredBy(this.at, (item) => this.#expired.set(item, (this.#expired.get(item) ?? 0) + 1));
    }
  }

  /** Viewers of an item at that instant. */
  of(item: number): number {
    const crowd = this.#state.crowds.get(item);
    return crowd !== undefined && this.at > this.#state.time
      ? crowd.viewers(this.at)
      : (this.#state.items.columns.viewers[item] ?? 0) - (this.#expired.get(item) ?? 0);
  }

  /** True when some of an item's viewers have stopped watching since log time. */
  hasExpired(item: number): boolean {
    return this.#expired.has(item);
  }

  /** Items whose viewers differ from what the log says. */
  items(): Iterable<number> {
    return this.#expired.keys();
  }
}

/** What of a creator's publication time alone has changed: viewers who are gone, streams that are quiet; "" if nothing. */
export function workOfTime(state: FoldState, creatorId: CreatorId, viewers: ViewersAt): string {
  const isChanged = (item: number) =>
    viewers.hasExpired(item) || state.crowds.has(item) || state.streams.get(item)?.isQuiet(viewers.at) === true;
  return (state.items.creator(creatorId)?.items ?? [])
    .filter(isChanged)
    .map((item) => `${item} ${viewers.of(item)} ${isLiveAt(state, item, viewers.at)}`)
    .join();
}

function isLiveAt(state: FoldState, item: number, at: number): boolean {
  const stream = state.streams.get(item);
  return stream !== undefined && !stream.isQuiet(at);
}

/** Builds what a creator's hub gets; a creator without items gets zeros. */
export function publicationOf(state: FoldState, creatorId: CreatorId, where: Standpoint, viewers: ViewersAt): Publish {
  const items = state.items.creator(creatorId)?.items ?? [];
  return {
    v: LIVE_RPC_VERSION,
    creatorId,
    source: where.source,
    epoch: where.epoch,
    offset: where.offset,
    at: where.at,
    caughtUp: where.caughtUp,
    totals: totalsOf(state, items, viewers),
    items: shownItems(state, items, viewers).map((item) => describeItem(state, item, viewers)),
  };
}

function totalsOf(state: FoldState, items: readonly number[], viewers: ViewersAt): SourceTotals {
  const { views, likes, shares, completions, watchSeconds } = state.items.columns;
  const totals = {
    liveViewers: 0,
    views: 0,
    likes: 0,
    shares: 0,
    completions: 0,
    watchSeconds: 0,
    items: items.length,
  };
  for (const item of items) {
    totals.liveViewers += viewers.of(item);
    totals.views += views[item] ?? 0;
    totals.likes += likes[item] ?? 0;
    totals.shares += shares[item] ?? 0;
    totals.completions += completions[item] ?? 0;
    totals.watchSeconds += watchSeconds[item] ?? 0;
  }
  return totals;
}

/** Most viewers first, then most recent; ties by the order in which they were first seen. */
function shownItems(state: FoldState, items: readonly number[], viewers: ViewersAt): readonly number[] {
  const { lastSeen } = state.items.columns;
  const ranked = items.map((item) => ({ item, viewers: viewers.of(item), lastSeen: lastSeen[item] ?? 0 }));
  ranked.sort((a, b) => b.viewers - a.viewers || b.lastSeen - a.lastSeen || a.item - b.item);
  return ranked.slice(0, MAX_PUBLISHED_ITEMS).map(({ item }) => item);
}

function describeItem(state: FoldState, item: number, viewers: ViewersAt): SourceItem {
  const contentId = state.items.contentIdOf(item);
  if (contentId === undefined) {
    throw new RangeError(`no item ${item}`);
  }
  const columns = state.items.columns;
  const peak = columns.peak[item] ?? 0;
  return {
    contentId,
    isLive: isLiveAt(state, item, viewers.at),
    liveViewers: viewers.of(item),
    peakViewers: peak,
    peakAt: peak > 0 ? (columns.peakAt[item] ?? 0) : null,
    views: columns.views[item] ?? 0,
    likes: columns.likes[item] ?? 0,
    shares: columns.shares[item] ?? 0,
    completions: columns.completions[item] ?? 0,
    watchSeconds: columns.watchSeconds[item] ?? 0,
    since: columns.since[item] ?? 0,
    viewsPerMinute: recentMinutes(state, item),
    approximate: isApproximate(state, item, viewers.at),
  };
}

/** The minutes of the last hour of log time in which the item had views, and those between. */
function recentMinutes(state: FoldState, item: number) {
  const series = state.items.viewsPerMinute(item);
  const first = Math.floor(state.time / 60_000) - MINUTES + 1;
  const old = Math.min(series.counts.length, Math.max(0, first - series.firstMinute));
  return { firstMinute: Math.max(0, series.firstMinute + old), counts: series.counts.slice(old) };
}
