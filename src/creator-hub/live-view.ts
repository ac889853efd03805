// The sum over sources, as a client sees it: totals and at most 200 items. A function of the contributions alone, in
// whatever order they came.
import type { LiveContent, LiveTotals } from "../contract/live-frames.ts";
import { MAX_PUBLISHED_ITEMS, type SourceItem, type SourceTotals } from "../contract/live-rpc.ts";
import type { ContentId } from "../contract/ids.ts";
import type { Contribution } from "./contributions.ts";

/** Minutes of `viewsPerMinute` that a client sees. */
const SHOWN_MINUTES = 60;
const MINUTE_MS = 60_000;

/** An item without its minutes, which are computed only when they may have changed. */
export type ShownItem = Omit<LiveContent, "viewsPerMinute">;

/** What all sources together say at one instant. */
export interface LiveView {
  totals: LiveTotals;
  /** Most viewers first, then most recent. */
  items: Map<ContentId, { shown: ShownItem; parts: readonly SourceItem[] }>;
  /** The newest instant that a source has counted for, in ms since the Unix epoch; null when there is none. */
  asOf: number | null;
  /** The minute of `asOf`, since the Unix epoch. */
  minute: number;
}

/** Totals while nothing is known. */
export const unknownTotals: LiveTotals = {
  liveViewers: null,
  views: null,
  likes: null,
  shares: null,
  completions: null,
  watchSeconds: null,
  items: null,
};

/** Adds the contributions up. */
export function mergeContributions(contributions: readonly Contribution[]): LiveView {
  const parts = new Map<ContentId, SourceItem[]>();
  for (const { items } of contributions) {
    for (const item of items) {
      const others = parts.get(item.contentId);
      if (others === undefined) {
        parts.set(item.contentId, [item]);
      } else {
        others.push(item);
      }
    }
  }
  const merged = [...parts.values()].map((itemParts) => ({ shown: mergeItem(itemParts), parts: itemParts }));
  merged.sort((a, b) => compareItems(a.shown, b.shown));
  // Only whole lists show which items two sources share.
  const allListed = contributions.every(({ items, totals }) => items.length === totals.items);
  const items = allListed ? parts.size : add(contributions, "items");
  const asOf = contributions.length === 0 ? null : Math.max(...contributions.map(({ at }) => at));
  return {
    totals: {
      liveViewers: add(contributions, "liveViewers"),
      views: add(contributions, "views"),
      likes: Math.max(0, add(contributions, "likes")),
      shares: add(contributions, "shares"),
      completions: add(contributions, "completions"),
      watchSeconds: add(contributions, "watchSeconds"),
      items,
    },
    items: new Map(merged.slice(0, MAX_PUBLISHED_ITEMS).map((item) => [item.shown.contentId, item])),
    asOf,
    minute: Math.floor((asOf ?? 0) / MINUTE_MS),
  };
}

/** Views per minute over all parts, ending with `minute`, oldest first, without leading zeros, at most 60. */
export function viewsPerMinute(parts: readonly SourceItem[], minute: number): number[] {
  const first = minute - SHOWN_MINUTES + 1;
  const shown = Array.from({ length: SHOWN_MINUTES }, () => 0);
  for (const { viewsPerMinute: series } of parts) {
    for (const [index, count] of series.counts.entries()) {
      const at = series.firstMinute + index - first;
      if (at >= 0 && at < SHOWN_MINUTES) {
        shown[at] = (shown[at] ?? 0) + count;
      }
    }
  }
  const start = shown.findIndex((count) => count > 0);
  return start === -1 ? [] : shown.slice(start);
}

function mergeItem(parts: SourceItem[]): ShownItem {
  const [only] = parts;
  if (only === undefined) {
    throw new RangeError("an item has at least one part");
  }
  // The peak of a sum is not the sum of the peaks: over several sources it is not known.
  const single = parts.length === 1;
  return {
    contentId: only.contentId,
    isLive: parts.some((part) => part.isLive),
    liveViewers: sum(parts, (part) => part.liveViewers),
    peakViewers: single ? only.peakViewers : null,
    peakAt: single && only.peakAt !== null ? new Date(only.peakAt).toISOString() : null,
    views: sum(parts, (part) => part.views),
    likes: Math.max(
      0,
      sum(parts, (part) => part.likes),
    ),
    shares: sum(parts, (part) => part.shares),
    completions: sum(parts, (part) => part.completions),
    watchSeconds: sum(parts, (part) => part.watchSeconds),
    since: new Date(Math.min(...parts.map((part) => part.since))).toISOString(),
    // A session seen by two sources is counted by both.
    approximate: parts.some((part) => part.approximate) || parts.filter((part) => part.liveViewers > 0).length > 1,
  };
}

function compareItems(a: ShownItem, b: ShownItem): number {
  const byViewers = (b.liveViewers ?? 0) - (a.liveViewers ?? 0);
  if (byViewers !== 0) {
    return byViewers;
  }
  if (a.since !== b.since) {
    return a.since < b.since ? 1 : -1;
  }
  return a.contentId < b.contentId ? -1 : 1;
}

function add(contributions: readonly Contribution[], field: keyof SourceTotals): number {
  return sum(contributions, ({ totals }) => totals[field]);
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  let total = 0;
  for (const value of values) {
    total += of(value);
  }
  return total;
}
