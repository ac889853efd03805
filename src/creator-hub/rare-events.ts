// Subscriptions, payments and moderation decisions: rare, and not to be missed or doubled. A source's watermark and the
// ids of applied events decide what is new; effect, id and watermark are one transaction.
import { assertNever } from "../runtime/assert-never.ts";
import type { Alert } from "../contract/live-frames.ts";
import type { RareBatch, RareEvent, RareReply } from "../contract/live-rpc.ts";
import { LIVE_RPC_VERSION } from "../contract/live-rpc.ts";
import type { HubStorage } from "./hub-storage.ts";

/** What happened later than this from now is a mistake (ours), and must not outdate what happens until then. */
const MOST_CLOCK_ERROR_MS = 24 * 3_600_000;

/** What to tell sockets once the batch is stored: a frame without its head. */
export type Announcement =
  | { type: "moderation.decision"; alert: Alert }
  | { type: "subscribers"; count: number | null; change: number; asOf: string }
  | {
      type: "revenue.changed";
      version: number;
      lastPaymentAt: string;
      paymentId: string;
      kind: "ad" | "subscription" | "payout";
      amountMinor: string;
      currency: string;
    };

/** Applies the events that are new. Repeated and overlapping batches change nothing. */
export function applyRareBatch(
  storage: HubStorage,
  batch: RareBatch,
  nowMs: number,
): { reply: RareReply; announcements: Announcement[] } {
  return storage.transaction(() => {
    storage.forgetOldEvents(nowMs);
    const held = storage.watermark(batch.source);
    // A reader of an older epoch reads a topic that is no more, or a state that was replaced.
    const outdated = batch.epoch < held.epoch;
    let watermark = batch.epoch > held.epoch ? 0 : held.watermark;
    const announcements: Announcement[] = [];
    let applied = 0;
    for (const rare of outdated ? [] : batch.events) {
      if (rare.offset < watermark) {
        continue;
      }
      watermark = rare.offset + 1;
      if (storage.rememberEvent(`${rare.kind}:${rare.event.eventId}`, nowMs)) {
        applied += 1;
        const announcement = applyEvent(storage, rare, nowMs);
        if (rare.broadcast) {
          announce(announcements, announcement);
        }
      }
    }
    if (!outdated) {
      storage.setWatermark(batch.source, batch.epoch, watermark);
    }
    const reply = { v: LIVE_RPC_VERSION, watermark, applied, duplicates: batch.events.length - applied };
    return { reply, announcements };
  });
}

function applyEvent(storage: HubStorage, rare: RareEvent, nowMs: number): Announcement {
  switch (rare.kind) {
    case "subscription":
      return applySubscription(storage, rare.event, nowMs);
    case "payment": {
      const { paymentId, kind, amountMinor, currency, occurredAt } = rare.event;
      const before = storage.revenue();
      const version = before.version + 1;
      const lastPaymentAt = later(before.lastPaymentAt, utc(occurredAt));
      storage.setRevenue({ version, lastPaymentAt });
      return { type: "revenue.changed", version, lastPaymentAt, paymentId, kind, amountMinor, currency };
    }
    case "moderation": {
      const { contentId, decision, reason, policyUrl, appealBy, occurredAt } = rare.event;
      const alert = storage.addAlert({
        type: "moderation.decision",
        contentId,
        decision,
        reason,
        policyUrl: policyUrl ?? null,
        appealBy: appealBy === null || appealBy === undefined ? null : utc(appealBy),
        decidedAt: utc(occurredAt),
      });
      return { type: "moderation.decision", alert };
    }
    default:
      return assertNever(rare);
  }
}

/**
 * The owner's count where it is given; else the known one plus or minus one; unknown stays unknown. What happened before
 * the owner last counted, as when a dead letter is replayed, is in that count.
 */
function applySubscription(
  storage: HubStorage,
  event: Extract<RareEvent, { kind: "subscription" }>["event"],
  nowMs: number,
): Announcement {
  const change = event.change === "subscribed" ? 1 : -1;
  const before = storage.subscribers();
  const at = utc(event.occurredAt);
  const isCounted = before.countedAt !== null && at < before.countedAt;
  const isAbsolute = !isCounted && event.subscriberCount !== null && event.subscriberCount !== undefined;
  const counted = before.count === null || isCounted ? before.count : Math.max(0, before.count + change);
  const count = isAbsolute ? (event.subscriberCount ?? null) : counted;
  const asOf = later(before.asOf, at);
  const isPossible = Date.parse(at) < nowMs + MOST_CLOCK_ERROR_MS;
  storage.setSubscribers({ count, asOf, countedAt: isAbsolute && isPossible ? at : before.countedAt });
  if (event.change === "subscribed") {
    storage.addSubscribed(Date.parse(event.occurredAt));
  }
  return { type: "subscribers", count, change, asOf };
}

/** Subscriber changes of one batch become one announcement: the last count, the sum of the changes. */
function announce(announcements: Announcement[], next: Announcement): void {
  const before = announcements.findIndex(({ type }) => type === "subscribers");
  const earlier = announcements[before];
  if (next.type === "subscribers" && earlier?.type === "subscribers") {
    announcements.splice(before, 1);
    announcements.push({ ...next, change: earlier.change + next.change });
  } else {
    announcements.push(next);
  }
}

function utc(instant: string): string {
  return new Date(instant).toISOString();
}

function later(a: string | null, b: string): string {
  return a !== null && a > b ? a : b;
}
