// What analytics take from Postgres. They go on without it: titles and revenue are then missing, and the answer says so.
import type { OverviewRevenue } from "../../contract/analytics.ts";
import type { ContentId, CreatorId } from "../../contract/ids.ts";
import type { TimeRange } from "../../contract/time-range.ts";
import { itemOf, recentlyPublished, titlesOf, type CatalogueItem } from "../../store/postgres/catalogue.ts";
import type { Postgres } from "../../store/postgres/postgres.ts";
import { entrySums, revenueFreshness, type EntrySum } from "../../store/postgres/revenue-entries.ts";
import { StoreUnavailable } from "../../store/store-unavailable.ts";
import { orElse } from "./with-deadline.ts";

const isUnavailable = (error: unknown) => error instanceof StoreUnavailable;

/** Titles by item; none while Postgres is down. */
export async function readTitles(
  postgres: Postgres,
  creatorId: CreatorId,
  contentIds: readonly ContentId[],
): Promise<ReadonlyMap<string, string>> {
  if (contentIds.length === 0) {
    return new Map();
  }
  const [rows] = await orElse(postgres.read([titlesOf(creatorId, contentIds)]), [[]], isUnavailable);
  return new Map(rows.map(({ content_id, title }) => [content_id, title]));
}

/** The revenue block of an overview. The range is exact: entries are not hourly. */
export async function readOverviewRevenue(
  postgres: Postgres,
  creatorId: CreatorId,
  range: TimeRange,
  nowMs: number,
): Promise<OverviewRevenue> {
  const results = await orElse(
    postgres.read([entrySums(creatorId, [range]), revenueFreshness(nowMs)]),
    null,
    isUnavailable,
  );
  if (results === null) {
    return { status: "unavailable", asOf: null, amounts: null };
  }
  const [sums, [freshness]] = results;
  const byCurrency = Map.groupBy(sums, ({ currency }) => currency);
  return {
    status: "ok",
    asOf: freshness?.as_of ?? null,
    amounts: [...byCurrency]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([currency, its]) => ({
        currency,
        estimatedMinor: sumOf(its, "estimated"),
        finalMinor: sumOf(its, "final"),
        paidMinor: sumOf(its, "paid"),
      })),
  };
}

function sumOf(sums: readonly EntrySum[], status: EntrySum["status"]): string {
  return sums
    .filter((sum) => sum.status === status)
    .reduce((total, { amount }) => total + BigInt(amount), 0n)
    .toString();
}

/** The item if it is the creator's, null if it is not, `unavailable` while nobody can tell. */
export async function readOwnItem(
  postgres: Postgres,
  creatorId: CreatorId,
  contentId: ContentId,
): Promise<CatalogueItem | null | "unavailable"> {
  const results = await orElse(postgres.read([itemOf(creatorId, contentId)]), "unavailable" as const, isUnavailable);
  return results === "unavailable" ? results : (results[0][0] ?? null);
}

/** The creator's items published until an instant, the most recent first, at most `limit`; none while Postgres is down. */
export async function readPublishedUntil(
  postgres: Postgres,
  creatorId: CreatorId,
  untilMs: number,
  limit: number,
): Promise<{ contentId: ContentId; publishedMs: number }[]> {
  const [rows] = await orElse(postgres.read([recentlyPublished(creatorId, untilMs, limit)]), [[]], isUnavailable);
  return rows.map(({ content_id, published_at }) => ({
    contentId: content_id,
    publishedMs: Date.parse(published_at),
  }));
}
