// What changed between what sockets were last sent and what is true now. Clients apply it to what they hold.
import type { LiveContent, LiveTotals } from "../contract/live-frames.ts";
import type { ContentId } from "../contract/ids.ts";
import { unknownTotals, viewsPerMinute, type LiveView, type ShownItem } from "./live-view.ts";

/** The part of a `metrics` frame that a diff decides. */
export interface MetricsChange {
  totals: LiveTotals;
  content: LiveContent[];
  removed: ContentId[];
}

interface SentItem {
  shown: ShownItem;
  /** The minute that `series` ends with. */
  minute: number;
  series: number[];
}

/** What every socket holds. The minutes of an item are sent again only when a minute has passed. */
export class SentState {
  #totals: LiveTotals = unknownTotals;
  #items = new Map<ContentId, SentItem>();

  /** Whole, for a snapshot. */
  snapshot(): { totals: LiveTotals; content: LiveContent[] } {
    const content = [...this.#items.values()].map(({ shown, series }) => ({ ...shown, viewsPerMinute: series }));
    return { totals: this.#totals, content };
  }

  /** Forgets everything: the next snapshot says that nothing is known. */
  clear(): void {
    this.#totals = unknownTotals;
    this.#items = new Map();
  }

  /** Takes over the new view; null when a client could see no difference. */
  update(view: LiveView): MetricsChange | null {
    const content: LiveContent[] = [];
    const items = new Map<ContentId, SentItem>();
    for (const [contentId, { shown, parts }] of view.items) {
      const sent = this.#items.get(contentId);
      const series = sent?.minute === view.minute ? sent.series : viewsPerMinute(parts, view.minute);
      items.set(contentId, { shown, minute: view.minute, series });
      const seriesChanged = sent === undefined || !sameNumbers(sent.series, series);
      if (sent === undefined || seriesChanged || !sameFields(sent.shown, shown)) {
        content.push(seriesChanged ? { ...shown, viewsPerMinute: series } : shown);
      }
    }
    const removed = [...this.#items.keys()].filter((contentId) => !items.has(contentId));
    const changed = content.length > 0 || removed.length > 0 || !sameFields(this.#totals, view.totals);
    this.#totals = view.totals;
    this.#items = items;
    return changed ? { totals: view.totals, content, removed } : null;
  }
}

function sameFields<T extends object>(a: T, b: T): boolean {
  for (const key in b) {
    if (a[key] !== b[key]) {
      return false;
    }
  }
  return true;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
