// What the frames add up to: one immutable value, and the pure step from it by one frame. No connection, no clock.
import type {
  Alert,
  LiveContent,
  LiveReason,
  LiveState,
  LiveTotals,
  ServerFrame,
  StreamSummary,
} from "../../contract/live-frames.ts";

/** The most alerts and finished streams kept: enough for a page, bounded for a page that stays open for weeks. */
export const MAX_KEPT = 100;

/** Everything the service has said about one creator. Null is "not known", never 0. */
export interface LiveNumbers {
  /** The hub's epoch; `seq` orders frames within it. Null before the first snapshot. */
  readonly epoch: string | null;
  readonly seq: number;
  /** The service's own word on how far to trust the counts. */
  readonly state: LiveState;
  readonly reason: LiveReason | null;
  /** The instant for which the counts are true. */
  readonly asOf: string | null;
  readonly totals: LiveTotals;
  /** By content id, in the order in which the service first named them. */
  readonly content: ReadonlyMap<string, LiveContent>;
  readonly subscribers: { readonly count: number | null; readonly asOf: string | null };
  readonly revenue: { readonly version: number; readonly lastPaymentAt: string | null };
  /** Moderation decisions, in the order in which they arrived; the last one is the `since` of the next connection. */
  readonly alerts: readonly Alert[];
  /** Streams that ended while connected, oldest first. */
  readonly endedStreams: readonly { readonly contentId: string; readonly summary: StreamSummary }[];
  /** When the payout settings last changed while connected. */
  readonly payoutSettings: { readonly changedAt: string; readonly lockedUntil: string | null } | null;
}

const unknownTotals: LiveTotals = {
  liveViewers: null,
  views: null,
  likes: null,
  shares: null,
  completions: null,
  watchSeconds: null,
  items: null,
};

/** Before anything has been heard. */
export const nothingKnown: LiveNumbers = {
  epoch: null,
  seq: -1,
  state: "unavailable",
  reason: "starting",
  asOf: null,
  totals: unknownTotals,
  content: new Map(),
  subscribers: { count: null, asOf: null },
  revenue: { version: 0, lastPaymentAt: null },
  alerts: [],
  endedStreams: [],
  payoutSettings: null,
};

/**
 * The numbers after one frame; the very same object when the frame changes nothing. Within an epoch a frame not newer
 * than the last one applied is ignored; another epoch begins with its snapshot, and its other frames wait for that.
 */
export function applyFrame(numbers: LiveNumbers, frame: ServerFrame): LiveNumbers {
  if (frame.type === "welcome") {
    return numbers;
  }
  const sameEpoch = frame.epoch === numbers.epoch;
  if (sameEpoch ? frame.seq <= numbers.seq : frame.type !== "snapshot") {
    return numbers;
  }
  const next = { ...numbers, epoch: frame.epoch, seq: frame.seq };
  switch (frame.type) {
    case "snapshot":
      return {
        ...next,
        state: frame.state,
        reason: frame.reason,
        asOf: frame.asOf,
        totals: frame.totals,
        content: new Map(frame.content.map((item) => [item.contentId, item])),
        subscribers: frame.subscribers,
        revenue: frame.revenue,
        alerts: withAlerts(numbers.alerts, frame.alerts),
      };
    case "metrics":
      return { ...next, asOf: frame.asOf, totals: frame.totals, content: changedContent(numbers.content, frame) };
    case "status":
      return { ...next, state: frame.state, reason: frame.reason, asOf: frame.asOf };
    case "moderation.decision":
      return { ...next, alerts: withAlerts(numbers.alerts, [frame.alert]) };
    case "subscribers":
      return { ...next, subscribers: { count: frame.count, asOf: frame.asOf } };
    case "revenue.changed":
      return { ...next, revenue: { version: frame.version, lastPaymentAt: frame.lastPaymentAt } };
    case "payout-settings.changed":
      return { ...next, payoutSettings: { changedAt: frame.changedAt, lockedUntil: frame.lockedUntil } };
    case "stream.ended": {
      const ended = { contentId: frame.contentId, summary: frame.summary };
      return { ...next, endedStreams: [...numbers.endedStreams, ended].slice(-MAX_KEPT) };
    }
    default:
      return frame satisfies never;
  }
}

/** A repeated alert is the same alert: a decision is not changed after it was announced, another one follows. */
function withAlerts(kept: readonly Alert[], arrived: readonly Alert[]): readonly Alert[] {
  const known = new Set(kept.map((alert) => alert.alertId));
  const fresh = arrived.filter((alert) => !known.has(alert.alertId));
  return fresh.length === 0 ? kept : [...kept, ...fresh].slice(-MAX_KEPT);
}

/** `viewsPerMinute` is sent only when its minute changed, so an item without it keeps what it had. */
function changedContent(
  content: ReadonlyMap<string, LiveContent>,
  frame: Extract<ServerFrame, { type: "metrics" }>,
): ReadonlyMap<string, LiveContent> {
  if (frame.content.length === 0 && frame.removed.length === 0) {
    return content;
  }
  const next = new Map(content);
  for (const item of frame.content) {
    const minutes = item.viewsPerMinute ?? next.get(item.contentId)?.viewsPerMinute;
    next.set(item.contentId, minutes ? { ...item, viewsPerMinute: minutes } : item);
  }
  for (const contentId of frame.removed) {
    next.delete(contentId);
  }
  return next;
}
