// A dashboard at the other end of a socket: applies frames as the protocol says and notices what must never happen.
import { type LiveContent, type LiveTotals, serverFrameSchema } from "../../src/contract/live-frames.ts";

const rising = ["views", "shares", "completions", "watchSeconds"] as const;

/** What a creator sees. */
export interface Seen {
  state: string;
  totals: LiveTotals;
  content: Map<string, LiveContent>;
  subscribers: number | null;
  revenueVersion: number;
  alerts: string[];
}

/** One open dashboard. */
export class DashboardClient {
  readonly connectionId: string;
  seen: Seen | null = null;
  /** What went wrong, in words. */
  readonly violations: string[] = [];
  readonly #mayFall: () => boolean;
  #epoch = "";
  #seq = -1;

  /** @param mayFall true once a reader has lost all it had stored: it counts again from the log's beginning */
  constructor(connectionId: string, mayFall: () => boolean) {
    this.connectionId = connectionId;
    this.#mayFall = mayFall;
  }

  /** Takes a frame's text. */
  receive(text: string): void {
    const parsed = serverFrameSchema.safeParse(JSON.parse(text));
    if (!parsed.success) {
      this.violations.push(
        `frame does not fit its schema: ${text.slice(0, 200)} ${parsed.error.message.slice(0, 300)}`,
      );
      return;
    }
    const frame = parsed.data;
    if (frame.type === "welcome") {
      return;
    }
    this.#checkOrder(frame.type, frame.epoch, frame.seq);
    if (frame.type === "snapshot") {
      this.seen = {
        state: frame.state,
        totals: frame.totals,
        content: new Map(frame.content.map((item) => [item.contentId, item])),
        subscribers: frame.subscribers.count,
        revenueVersion: frame.revenue.version,
        alerts: frame.alerts.map((alert) => alert.alertId),
      };
      return;
    }
    if (!this.seen) {
      this.violations.push(`${frame.type} before any snapshot`);
      return;
    }
    switch (frame.type) {
      case "metrics":
        for (const item of frame.content) {
          this.#checkNotFalling(item);
          this.seen.content.set(item.contentId, { ...this.seen.content.get(item.contentId), ...item });
        }
        for (const contentId of frame.removed) {
          this.seen.content.delete(contentId);
        }
        this.seen.totals = frame.totals;
        break;
      case "status":
        this.seen.state = frame.state;
        break;
      case "subscribers":
        this.seen.subscribers = frame.count;
        break;
      case "revenue.changed":
        this.seen.revenueVersion = frame.version;
        break;
      case "moderation.decision":
        this.seen.alerts.push(frame.alert.alertId);
        break;
      case "payout-settings.changed":
      case "stream.ended":
        break;
    }
  }

  #checkOrder(type: string, epoch: string, seq: number): void {
    if (epoch !== this.#epoch) {
      if (type !== "snapshot") {
        this.violations.push(`epoch ${epoch} began with ${type}`);
      }
      this.#epoch = epoch;
    } else if (type !== "snapshot" && seq <= this.#seq) {
      this.violations.push(`seq ${seq} of ${type} after ${this.#seq}`);
    }
    this.#seq = seq;
  }

  /** Within one epoch of a hub counts fall only where an item is counted anew: from another instant. */
  #checkNotFalling(item: LiveContent): void {
    const before = this.seen?.content.get(item.contentId);
    if (before && item.since === before.since && !this.#mayFall()) {
      for (const name of rising) {
        if (item[name] < before[name]) {
          this.violations.push(`${name} of ${item.contentId} fell from ${before[name]} to ${item[name]}`);
        }
      }
    }
  }
}
