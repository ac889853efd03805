// How the whole catalogue does.
import {
  overviewAnswerSchema,
  SUBSCRIBERS_INCOMPLETE,
  TOP_ITEMS,
  type OverviewAnswer,
} from "../../contract/analytics.ts";
import { echoTimeRange, onFullHours, timeRangeQuerySchema, type TimeRange } from "../../contract/time-range.ts";
import { readCreatorSeries } from "../../store/clickhouse/engagement-series.ts";
import { readProgress, type Progress } from "../../store/clickhouse/ingest-progress.ts";
import { readRanking } from "../../store/clickhouse/item-ranking.ts";
import { readSubscribers, type SubscriberSeries } from "../../store/clickhouse/subscriber-series.ts";
import { rangeOf } from "../parameters.ts";
import { creatorRoute } from "../route.ts";
import { completionRate, seriesAnswer, totalsAnswer } from "./engagement-answer.ts";
import { readOverviewRevenue, readTitles } from "./from-postgres.ts";
import { fillBuckets, freshnessOf } from "./progress-of.ts";

/** `GET /api/v1/creator/analytics/overview`. */
export const overviewRoute = creatorRoute({
  method: "get",
  path: "/api/v1/creator/analytics/overview",
  tag: "Analytics",
  summary: "Totals and series of the whole catalogue",
  description:
    "Views, watch time, likes, shares, completions, subscribers and revenue of a range, and the items with most views. Buckets that have not arrived yet are marked and null. While the revenue's source is down its block says so, and titles are null.",
  query: timeRangeQuerySchema,
  answer: overviewAnswerSchema,
  problems: ["analytics_unavailable"],
  handle: async ({ query, creator, services }) => {
    const { analytics, postgres, clock } = services;
    const { creatorId } = creator;
    const exact = rangeOf(query, creator, clock);
    const { range, warnings } = onFullHours(exact);
    // Before the data: what it says is complete must be in what is read after it.
    const progress = await readProgress(analytics);
    const [rows, subscribers, ranked, revenue] = await Promise.all([
      readCreatorSeries(analytics, creatorId, range),
      readSubscribers(analytics, creatorId, range),
      readRanking(analytics, creatorId, range, { order: "views", minimumViews: 1, limit: TOP_ITEMS }),
      readOverviewRevenue(postgres, creatorId, exact, clock.now()),
    ]);
    const contentIds = ranked.map(({ contentId }) => contentId);
    const titles = await readTitles(postgres, creatorId, contentIds);
    const metricsProgress = progress.get("content_metrics");
    const subscriberAnswer = subscribersOf(range, subscribers, progress.get("subscriber_metrics"));
    const isBehind = isLess(progress.get("subscriber_metrics"), metricsProgress);
    const answer: OverviewAnswer = {
      query: echoTimeRange(range),
      ...freshnessOf(metricsProgress),
      warnings: isBehind ? [...warnings, SUBSCRIBERS_INCOMPLETE] : warnings,
      totals: {
        ...totalsAnswer(range, rows, metricsProgress),
        subscribers: subscriberAnswer.totals,
        revenue,
      },
      comparison: null,
      series: seriesAnswer(range, rows, metricsProgress).map((bucket, index) => ({
        ...bucket,
        subscribersGained: subscriberAnswer.series[index]?.gained ?? null,
        subscribersLost: subscriberAnswer.series[index]?.lost ?? null,
      })),
      topContent: ranked.map(({ contentId, views, watchTimeSeconds, completions }) => ({
        contentId,
        title: titles.get(contentId) ?? null,
        views,
        watchTimeSeconds,
        completionRate: completionRate({ views, completions }),
      })),
    };
    return { answer };
  },
});

function isLess(one: Progress | undefined, other: Progress | undefined): boolean {
  return (one?.completeThroughMs ?? 0) < (other?.completeThroughMs ?? 0);
}

function subscribersOf(range: TimeRange, subscribers: SubscriberSeries, progress: Progress | undefined) {
  const series = fillBuckets(range.buckets, subscribers.buckets, progress, { gained: 0, lost: 0, count: null });
  const known = series.flatMap(({ row }) => (row === null ? [] : [row]));
  const gained = known.reduce((sum, row) => sum + row.gained, 0);
  const lost = known.reduce((sum, row) => sum + row.lost, 0);
  const count = known.reduce((latest, row) => row.count ?? latest, subscribers.countBefore);
  return {
    series: series.map(({ row }) => ({ gained: row?.gained ?? null, lost: row?.lost ?? null })),
    totals:
      known.length === 0 ? { gained: null, lost: null, net: null, count } : { gained, lost, net: gained - lost, count },
  };
}
