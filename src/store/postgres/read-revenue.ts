// Revenue over a time range and the payouts, from one consistent snapshot in one round trip.
import type { CreatorId } from "../../contract/ids.ts";
import {
  MAX_REVENUE_ITEMS,
  revenueSources,
  revenueStatuses,
  type CurrencyRevenue,
  type Payout,
} from "../../contract/revenue.ts";
import { isComplete, type TimeRange } from "../../contract/time-range.ts";
import { formatInstant } from "../../contract/time-zone.ts";
import { payoutPage, payoutRows } from "./payout-history.ts";
import type { Postgres } from "./postgres.ts";
import { entrySums, itemSums, revenueFreshness, type EntrySum, type ItemSum } from "./revenue-entries.ts";

/** What a creator has earned and been paid. */
export interface Revenue {
  readonly asOf: string | null;
  readonly currencies: CurrencyRevenue[];
  readonly payouts: { items: Payout[]; nextCursor: string | null };
}

/**
 * Reads it.
 * @param nowMs bounds how fresh the entries can claim to be
 * @throws CursorError, StoreUnavailable
 */
export async function readRevenue(
  postgres: Postgres,
  creatorId: CreatorId,
  range: TimeRange,
  page: { limit: number; cursor?: string | undefined },
  nowMs: number,
): Promise<Revenue> {
  const [sums, items, [freshness], payouts] = await postgres.read([
    entrySums(creatorId, range.buckets),
    itemSums(creatorId, range, MAX_REVENUE_ITEMS),
    revenueFreshness(nowMs),
    payoutRows(creatorId, page),
  ]);
  const asOf = freshness?.as_of ?? null;
  const completeThroughMs = asOf === null ? null : Date.parse(asOf);
  const byCurrency = Map.groupBy(sums, ({ currency }) => currency);
  return {
    asOf,
    currencies: [...byCurrency]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([currency, its]) => ({
        currency,
        ...amountsByStatus(its),
        bySource: revenueSources.map((source) => ({
          source,
          ...amountsByStatus(its.filter((sum) => sum.source === source)),
        })),
        series: seriesOf(its, range, completeThroughMs),
        byContent: items.filter((item) => item.currency === currency).map(itemAnswer),
      })),
    payouts: payoutPage(payouts, page.limit),
  };
}

function seriesOf(sums: EntrySum[], range: TimeRange, completeThroughMs: number | null): CurrencyRevenue["series"] {
  const byBucket = Map.groupBy(sums, ({ bucket }) => bucket);
  return range.buckets.map((bucket, index) => {
    const its = byBucket.get(index) ?? [];
    const statuses = new Set(its.map(({ status }) => status));
    return {
      start: formatInstant(bucket.startMs, range.timeZone),
      complete: isComplete(bucket, completeThroughMs),
      adMinor: total(its.filter(({ source }) => source === "ad")),
      subscriptionMinor: total(its.filter(({ source }) => source === "subscription")),
      // The statuses are listed from the least settled one on.
      status: revenueStatuses.find((status) => statuses.has(status)) ?? null,
      payoutIds: [...new Set(its.flatMap((sum) => sum.payout_ids))].toSorted((one, other) => (one < other ? -1 : 1)),
    };
  });
}

function amountsByStatus(sums: EntrySum[]): { estimatedMinor: string; finalMinor: string; paidMinor: string } {
  const of = (wanted: EntrySum["status"]) => total(sums.filter(({ status }) => status === wanted));
  return { estimatedMinor: of("estimated"), finalMinor: of("final"), paidMinor: of("paid") };
}

function total(sums: EntrySum[]): string {
  return sums.reduce((sum, { amount }) => sum + BigInt(amount), 0n).toString();
}

function itemAnswer({ content_id: contentId, title, amount: amountMinor }: ItemSum) {
  return { contentId, title, amountMinor };
}
