// What the log says of one creator, counted event by event as it is written. It shares nothing with the product's own
// counting, and needs none of its care: it sees every event exactly once and in order.

/** One item's counts. */
export interface ItemTruth {
  views: number;
  likes: number;
  shares: number;
  completions: number;
  watchSeconds: number;
}

/** Everything that dashboards of one creator must show in the end. */
export class Truth {
  readonly items = new Map<string, ItemTruth>();
  subscribers = 0;
  revenueVersion = 0;
  /** The reasons of the moderation decisions, each of which names its decision, in order. */
  readonly decisions: string[] = [];

  item(contentId: string): ItemTruth {
    const known = this.items.get(contentId);
    if (known !== undefined) {
      return known;
    }
    const item = { views: 0, likes: 0, shares: 0, completions: 0, watchSeconds: 0 };
    this.items.set(contentId, item);
    return item;
  }

  /** The sums over all items. */
  totals(): ItemTruth & { items: number } {
    const sum = (of: (item: ItemTruth) => number) => this.items.values().reduce((total, item) => total + of(item), 0);
    return {
      views: sum(({ views }) => views),
      likes: sum(({ likes }) => likes),
      shares: sum(({ shares }) => shares),
      completions: sum(({ completions }) => completions),
      watchSeconds: sum(({ watchSeconds }) => watchSeconds),
      items: this.items.size,
    };
  }
}
