// What creators earn and are paid: entries of the Billing Engine with every status, and payouts in every state.
import { HOUR_MS } from "../../contract/time-zone.ts";
import { HISTORY_HOURS, type SeedCreator, type SeedItem } from "./catalogue.ts";
import { chanceOf, join32 } from "./deterministic-hash.ts";
import { div, scaledToHour } from "./rhythm.ts";

/** A row of revenue_entries. Instants in ISO 8601, UTC. */
export interface SeedRevenueEntry {
  entry_id: string;
  creator_id: string;
  content_id: string | null;
  source: "ad" | "subscription";
  currency: "NGN" | "USD";
  amount_minor: number;
  status: "estimated" | "final" | "paid";
  payout_id: string | null;
  accrued_at: string;
  updated_at: string;
}

/** A row of payout_history. */
export interface SeedPayout {
  payout_id: string;
  creator_id: string;
  currency: "NGN" | "USD";
  amount_minor: number;
  status: PayoutStatus;
  method: "paystack" | "stripe";
  reference: string;
  period_start: string;
  period_end: string;
  created_at: string;
  arrival_date: string | null;
  failure_code: string | null;
  failure_message: string | null;
}

/** The union of both providers' states. */
export const payoutStatuses = [
  "pending",
  "action_required",
  "in_transit",
  "paid",
  "failed",
  "reversed",
  "canceled",
] as const;
export type PayoutStatus = (typeof payoutStatuses)[number];

/** A creator's money. */
export interface SeedRevenue {
  entries: SeedRevenueEntry[];
  payouts: SeedPayout[];
}

/** Entries of a month become final on the 7th of the next one and are paid on the 20th of the one after. */
const FINAL_ON_DAY = 7;
const PAID_ON_DAY = 20;

/** A kobo is worth far less than a cent. */
const minorUnitsPerCent = { NGN: 1_500, USD: 1 } as const;

/** Everything a creator has earned in the history that ends at `now`. */
export function createRevenue(creator: SeedCreator, now: number): SeedRevenue {
  const entries = creator.currencies.flatMap((currency) => [
    ...entriesOf(creator, "ad", currency, now),
    ...entriesOf(creator, "subscription", currency, now),
  ]);
  const byPeriod = Map.groupBy(entries, ({ currency, accrued_at }) => `${currency} ${accrued_at.slice(0, 7)}`);
  const payouts = [...byPeriod].flatMap(([period, its]) => payoutsOf(creator, period, its, now));
  return { entries, payouts };
}

function entriesOf(
  creator: SeedCreator,
  source: SeedRevenueEntry["source"],
  currency: SeedRevenueEntry["currency"],
  now: number,
): SeedRevenueEntry[] {
  const nowHour = div(now, HOUR_MS);
  const every = hoursBetween(creator, source);
  const kind = currency === "NGN" ? 1 : 2;
  const entries: SeedRevenueEntry[] = [];
  for (let hour = nowHour - every; hour >= nowHour - HISTORY_HOURS; hour -= every) {
    const hash = join32(join32(creator.creatorNo * 4 + kind, source === "ad" ? 1 : 2), nowHour - hour);
    const item = source === "ad" ? itemWatchedAt(creator.items, hour, hash) : null;
    if (item === undefined) {
      continue;
    }
    // A creator's reach is worth that many cents a month, a third of it from subscriptions.
    const cents = div(creator.reach * every * (source === "ad" ? 2 : 1), 3 * 24 * 30);
    const amount = div(scaledToHour(cents * 1_000, hour, nowHour) * (700 + (hash % 600)), 1_000_000);
    entries.push({
      entry_id: `ent_${creator.creatorNo}_${currency}_${source}_${nowHour - hour}`,
      creator_id: creator.creatorId,
      content_id: item?.contentId ?? null,
      source,
      currency,
      amount_minor: (amount + 1) * minorUnitsPerCent[currency],
      ...settlement(hour * HOUR_MS, now),
      payout_id: null,
      accrued_at: new Date(hour * HOUR_MS).toISOString(),
    });
  }
  return entries;
}

/** The demo creator earns several times a day, the others weekly. */
function hoursBetween(creator: SeedCreator, source: SeedRevenueEntry["source"]): number {
  if (creator.creatorNo === 1) {
    return source === "ad" ? 8 : 24;
  }
  return source === "ad" ? 7 * 24 : 30 * 24;
}

/** One of the items that had an audience then; undefined when none had. */
function itemWatchedAt(items: readonly SeedItem[], hour: number, hash: number): SeedItem | undefined {
  const watched = items.filter(({ firstHour, endHour }) => firstHour <= hour && hour < endHour);
  return watched[hash % Math.max(1, watched.length)];
}

function settlement(accruedAt: number, now: number): Pick<SeedRevenueEntry, "status" | "updated_at"> {
  const finalAt = dayOfLaterMonth(accruedAt, 1, FINAL_ON_DAY);
  return finalAt <= now
    ? { status: "final", updated_at: new Date(finalAt).toISOString() }
    : { status: "estimated", updated_at: new Date(accruedAt + HOUR_MS).toISOString() };
}

function dayOfLaterMonth(instant: number, months: number, day: number): number {
  const date = new Date(instant);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, day, 8);
}

/** The payouts of one month in one currency. Those that were paid settle the month's entries, which are changed here. */
function payoutsOf(creator: SeedCreator, period: string, entries: SeedRevenueEntry[], now: number): SeedPayout[] {
  const [first] = entries;
  if (first === undefined) {
    return [];
  }
  const { currency } = first;
  const accruedAt = Date.parse(first.accrued_at);
  const dueAt = dayOfLaterMonth(accruedAt, 2, PAID_ON_DAY);
  const month = new Date(accruedAt).getUTCFullYear() * 12 + new Date(accruedAt).getUTCMonth();
  const chance = chanceOf(3, creator.creatorNo, month, currency === "NGN" ? 1 : 2);
  const payout = (status: PayoutStatus, attempt: number, createdAt: number): SeedPayout => ({
    payout_id: `po_${creator.creatorNo}_${period.replace(" ", "_")}_${attempt}`,
    creator_id: creator.creatorId,
    currency,
    amount_minor: entries.reduce((sum, { amount_minor }) => sum + amount_minor, 0),
    status,
    method: currency === "NGN" ? "paystack" : "stripe",
    reference: currency === "NGN" ? `TRF_${chance.between(1e8, 1e9)}` : `tr_${chance.between(1e8, 1e9)}`,
    period_start: new Date(dayOfLaterMonth(accruedAt, 0, 1)).toISOString().slice(0, 10),
    period_end: new Date(dayOfLaterMonth(accruedAt, 1, 1)).toISOString().slice(0, 10),
    created_at: new Date(createdAt).toISOString(),
    arrival_date:
      status === "paid" || status === "in_transit"
        ? new Date(createdAt + 24 * HOUR_MS).toISOString().slice(0, 10)
        : null,
    ...failureOf(status),
  });

  if (dueAt > now) {
    // The next one in line is on its way, in one of the states that are not over.
    const isNext = dayOfLaterMonth(accruedAt, 1, PAID_ON_DAY) <= now;
    const open = (["in_transit", "pending", "action_required"] as const)[
      (creator.creatorNo + (currency === "NGN" ? 2 : 0)) % 3
    ];
    return isNext && open !== undefined ? [payout(open, 1, Math.min(now - 30 * HOUR_MS, dueAt))] : [];
  }
  const mishap = (["failed", "reversed", "canceled"] as const)[month % 3];
  const attempts =
    month % 4 === creator.creatorNo % 4 && mishap !== undefined ? [mishap, "paid" as const] : ["paid" as const];
  const made = attempts.map((status, index) => payout(status, index + 1, dueAt + index * 48 * HOUR_MS));
  const last = made.at(-1);
  if (last !== undefined && Date.parse(last.created_at) <= now) {
    for (const entry of entries) {
      entry.status = "paid";
      entry.payout_id = last.payout_id;
      entry.updated_at = last.created_at;
    }
  }
  return made.filter(({ created_at }) => Date.parse(created_at) <= now);
}

function failureOf(status: PayoutStatus): Pick<SeedPayout, "failure_code" | "failure_message"> {
  const failures: Partial<Record<PayoutStatus, [code: string, message: string]>> = {
    failed: ["account_closed", "The bank account has been closed."],
    reversed: ["returned_by_bank", "The receiving bank sent the money back."],
  };
  const [failure_code, failure_message] = failures[status] ?? [null, null];
  return { failure_code, failure_message };
}
