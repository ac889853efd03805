// What is usual for this creator: the median of their other items in the same days since publication.
import { BENCHMARK_BASIS, BENCHMARK_ITEMS, type ContentAnalyticsAnswer } from "../../contract/analytics.ts";
import type { CreatorId } from "../../contract/ids.ts";
import type { TimeRange } from "../../contract/time-range.ts";
import { DAY_MS, formatDay } from "../../contract/time-zone.ts";
import type { Progress } from "../../store/clickhouse/ingest-progress.ts";
import { readFirstDay, readItemDays, type ItemDays } from "../../store/clickhouse/item-benchmark.ts";
import type { CatalogueItem } from "../../store/postgres/catalogue.ts";
import type { Services } from "../services.ts";
import { completionRate, roundTo } from "./engagement-answer.ts";
import { readPublishedUntil } from "./from-postgres.ts";

/**
 * The benchmark for an item in a range; null where there is nothing to compare with: an item that is not public, a range
 * before its publication or without a finished day, no other item that has been through the same days, all of them counted.
 * @throws StoreUnavailable when ClickHouse is
 */
export async function readBenchmark(
  { analytics, postgres }: Pick<Services, "analytics" | "postgres">,
  creatorId: CreatorId,
  item: CatalogueItem | null,
  range: TimeRange,
  progress: Progress | undefined,
): Promise<ContentAnalyticsAnswer["benchmark"]> {
  const publishedAt = item?.published_at ?? null;
  if (item === null || publishedAt === null || progress === undefined) {
    return null;
  }
  const publishedDay = dayOf(Date.parse(publishedAt));
  const completeDay = dayOf(progress.completeThroughMs);
  const firstAge = Math.max(0, dayOf(range.startMs) - publishedDay);
  const endAge = Math.min(dayOf(range.endMs), completeDay) - publishedDay;
  if (endAge <= firstAge) {
    return null;
  }
  // Another item has been through these days when its last one of them is over.
  const publishedUntilMs = (completeDay - endAge + 1) * DAY_MS - 1;
  const [knownSince, published] = await Promise.all([
    readFirstDay(analytics, creatorId),
    readPublishedUntil(postgres, creatorId, publishedUntilMs, BENCHMARK_ITEMS + 1),
  ]);
  const others = published
    .filter(({ contentId }) => contentId !== item.content_id)
    .slice(0, BENCHMARK_ITEMS)
    .map(({ contentId, publishedMs }): ItemDays => ({
      contentId,
      firstDay: formatDay(dayOf(publishedMs) + firstAge),
      endDay: formatDay(dayOf(publishedMs) + endAge),
    }))
    // Days before the metrics begin would count as days without a view.
    .filter(({ firstDay }) => knownSince !== null && firstDay >= knownSince);
  const [first, ...rest] = others;
  if (first === undefined) {
    return null;
  }
  const found = new Map(
    (await readItemDays(analytics, creatorId, [first, ...rest])).map((totals) => [totals.contentId, totals]),
  );
  const totals = others.map(({ contentId }) => found.get(contentId) ?? { views: 0, completions: 0 });
  const rates = totals.flatMap((its) => completionRate(its) ?? []);
  return {
    basis: BENCHMARK_BASIS,
    items: totals.length,
    views: median(totals.map(({ views }) => views)) ?? 0,
    completionRate: median(rates),
  };
}

const dayOf = (instantMs: number) => Math.floor(instantMs / DAY_MS);

/** The middle value, or the mean of the two middle ones; null of nothing. */
function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : roundTo(4, (upper + lower) / 2);
}
