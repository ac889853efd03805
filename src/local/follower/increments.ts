// The increments of one batch, summed per row of the tables they go to.
import type { EngagementEvent, SubscriptionEvent } from "../../contract/events.ts";

const HOUR_MS = 3_600_000;

/** Rows of one table, as ClickHouse's JSONEachRow takes them. */
export interface TableRows {
  readonly table: string;
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

interface ContentRow {
  creator_id: string;
  content_id: string;
  period: string;
  views: number;
  watch_time_s: number;
  likes: number;
  shares: number;
  completions: number;
}

interface AudienceCell {
  creatorId: string;
  day: string;
  name: string;
  views: number;
  viewers: Set<string>;
}

interface SubscriberRow {
  creator_id: string;
  period: string;
  gained: number;
  lost: number;
  count: number | null;
}

/** Sums what a batch of events adds. */
export class Increments {
  readonly #content = new Map<string, ContentRow>();
  readonly #countries = new Map<string, AudienceCell>();
  readonly #devices = new Map<string, AudienceCell>();
  readonly #subscribers = new Map<string, SubscriberRow>();

  /**
   * Adds an accepted engagement event.
   * @param at when it happened, ms since the Unix epoch: its hour and UTC day are the row's
   * @param watchSeconds rounded to whole seconds, the table's unit
   */
  engagement(event: EngagementEvent, at: number, watchSeconds: number): void {
    const row = this.#contentRow(event.creatorId, event.contentId, hourOf(at));
    row.watch_time_s += Math.round(watchSeconds);
    switch (event.type) {
      case "view.started":
        row.views++;
        this.#viewer(this.#countries, event, dayOf(at), event.country ?? "ZZ");
        this.#viewer(this.#devices, event, dayOf(at), event.device ?? "other");
        break;
      case "view.completed":
        row.completions++;
        break;
      case "like.added":
        row.likes++;
        break;
      case "like.removed":
        row.likes--;
        break;
      case "share.created":
        row.shares++;
        break;
      case "view.heartbeat":
      case "view.ended":
        break;
    }
  }

  /** Adds an accepted subscription change. */
  subscription(event: SubscriptionEvent, at: number): void {
    const period = hourOf(at);
    const key = `${event.creatorId} ${period}`;
    const row = this.#subscribers.get(key) ?? { creator_id: event.creatorId, period, gained: 0, lost: 0, count: null };
    row.gained += event.change === "subscribed" ? 1 : 0;
    row.lost += event.change === "unsubscribed" ? 1 : 0;
    row.count = event.subscriberCount ?? row.count;
    this.#subscribers.set(key, row);
  }

  /** The rows per table; tables without rows are left out. */
  tables(): TableRows[] {
    const content = [...this.#content.values()].filter(
      (row) => row.views || row.watch_time_s || row.likes || row.shares || row.completions,
    );
    return [
      { table: "content_metrics", rows: content.map((row) => ({ ...row })) },
      { table: "audience_country_daily", rows: audienceRows(this.#countries, "country") },
      { table: "audience_device_daily", rows: audienceRows(this.#devices, "device") },
      {
        table: "subscriber_metrics",
        rows: [...this.#subscribers.values()].map(({ count, ...row }) => ({
          ...row,
          ...(count === null ? {} : { count }),
        })),
      },
    ].filter(({ rows }) => rows.length > 0);
  }

  #contentRow(creatorId: string, contentId: string, period: string): ContentRow {
    const key = `${creatorId} ${contentId} ${period}`;
    let row = this.#content.get(key);
    if (!row) {
      row = {
        creator_id: creatorId,
        content_id: contentId,
        period,
        views: 0,
        watch_time_s: 0,
        likes: 0,
        shares: 0,
        completions: 0,
      };
      this.#content.set(key, row);
    }
    return row;
  }

  #viewer(cells: Map<string, AudienceCell>, event: EngagementEvent, day: string, name: string): void {
    const { creatorId } = event;
    const key = `${creatorId} ${day} ${name}`;
    const cell = cells.get(key) ?? { creatorId, day, name, views: 0, viewers: new Set() };
    cell.views++;
    cell.viewers.add(event.sessionId);
    cells.set(key, cell);
  }
}

function audienceRows(cells: ReadonlyMap<string, AudienceCell>, column: string): TableRows["rows"] {
  return [...cells.values()].map(({ creatorId, day, name, views, viewers }) => ({
    creator_id: creatorId,
    day,
    [column]: name,
    views,
    // Read by ClickHouse's aggregate_function_input_format = 'array'.
    viewers: JSON.stringify([...viewers]),
  }));
}

/** The UTC hour of an instant as ClickHouse reads a DateTime. */
function hourOf(at: number): string {
  return new Date(at - (at % HOUR_MS)).toISOString().slice(0, 19).replace("T", " ");
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
