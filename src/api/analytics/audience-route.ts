// Who watches: countries, devices, what they finish, and how the following grows. Nobody can be told apart in it.
import {
  audienceAnswerSchema,
  MINIMUM_VIEWS_FOR_COMPLETION,
  TOP_ITEMS,
  VIEWERS_RELATIVE_ERROR,
  WHOLE_UTC_DAYS,
  type AudienceAnswer,
} from "../../contract/analytics.ts";
import { echoTimeRange, timeRangeQuerySchema, type TimeRange } from "../../contract/time-range.ts";
import { readAudience, readViewersOfCells, type Audience } from "../../store/clickhouse/audience.ts";
import { readProgress, type Progress } from "../../store/clickhouse/ingest-progress.ts";
import { readRanking } from "../../store/clickhouse/item-ranking.ts";
import { readSubscribers, type SubscriberSeries } from "../../store/clickhouse/subscriber-series.ts";
import { creatorRoute } from "../route.ts";
import { audienceRange } from "./audience-range.ts";
import { completionRate, roundTo } from "./engagement-answer.ts";
import { readTitles } from "./from-postgres.ts";
import { foldSmall, sortByThreshold } from "./privacy.ts";
import { fillBuckets, freshnessOf } from "./progress-of.ts";

const sayDay = (instantMs: number) => new Date(instantMs).toISOString().slice(0, 10);

/** `GET /api/v1/creator/analytics/audience`. */
export const audienceRoute = creatorRoute({
  method: "get",
  path: "/api/v1/creator/analytics/audience",
  tag: "Analytics",
  summary: "Countries, devices, completion and followers",
  description:
    "Distinct viewers over whole UTC days. A country or device with fewer viewers than the stated threshold is folded into `other`.",
  query: timeRangeQuerySchema,
  answer: audienceAnswerSchema,
  problems: ["analytics_unavailable"],
  handle: async ({ query, creator, services }) => {
    const { analytics, postgres, clock, configuration } = services;
    const { creatorId } = creator;
    const threshold = configuration.privacyThreshold;
    const { range, isMoved } = audienceRange(query, creator, clock);
    const days = { firstDay: sayDay(range.startMs), endDay: sayDay(range.endMs) };
    const progress = await readProgress(analytics);
    const [audience, ranked, subscribers] = await Promise.all([
      readAudience(analytics, creatorId, days),
      readRanking(analytics, creatorId, range, {
        order: "completion rate",
        minimumViews: MINIMUM_VIEWS_FOR_COMPLETION,
        limit: TOP_ITEMS,
      }),
      readSubscribers(analytics, creatorId, range),
    ]);
    const sorted = {
      country: sortByThreshold(cellsOf(audience, "country"), threshold),
      device: sortByThreshold(cellsOf(audience, "device"), threshold),
    };
    const small = {
      country: sorted.country.small.map(({ name }) => name),
      device: sorted.device.small.map(({ name }) => name),
    };
    const withheld = small.country.length + small.device.length > 0;
    const contentIds = ranked.map(({ contentId }) => contentId);
    const [viewersOfSmall, titles] = await Promise.all([
      withheld ? readViewersOfCells(analytics, creatorId, days, small) : { country: 0, device: 0 },
      readTitles(postgres, creatorId, contentIds),
    ]);
    const share = ({ viewers }: { viewers: number }) =>
      audience.viewers === 0 ? null : roundTo(2, Math.min(1, viewers / audience.viewers));
    const audienceProgress = progress.get("audience");
    const answer: AudienceAnswer = {
      query: echoTimeRange(range),
      ...freshnessOf(audienceProgress),
      warnings: isMoved ? [WHOLE_UTC_DAYS] : [],
      viewers: { count: viewersAnswer(audience, range, audienceProgress), relativeError: VIEWERS_RELATIVE_ERROR },
      privacy: { threshold, withheld },
      countries: foldSmall(sorted.country, viewersOfSmall.country, threshold).map(({ name, ...cell }) => ({
        country: name,
        ...cell,
        share: share(cell),
      })),
      devices: foldSmall(sorted.device, viewersOfSmall.device, threshold).map(({ name, ...cell }) => ({
        device: name,
        ...cell,
        share: share(cell),
      })),
      topByCompletion: {
        minimumViews: MINIMUM_VIEWS_FOR_COMPLETION,
        items: ranked.map(({ contentId, views, completions }) => ({
          contentId,
          title: titles.get(contentId) ?? null,
          views,
          completionRate: completionRate({ views, completions }),
        })),
      },
      subscribers: growthOf(range, subscribers, progress.get("subscriber_metrics")),
    };
    return { answer };
  },
});

function cellsOf({ cells }: Audience, wanted: "country" | "device") {
  return cells.filter(({ dimension }) => dimension === wanted);
}

/** Null where nothing of the range has arrived: nobody knows whether anybody watched. */
function viewersAnswer({ viewers }: Audience, range: TimeRange, progress: Progress | undefined): number | null {
  const hasBegun = progress !== undefined && range.startMs < progress.completeThroughMs;
  return viewers > 0 || hasBegun ? viewers : null;
}

/** The count of a bucket is the last one known in or before it; null where the bucket has not arrived. */
function growthOf(range: TimeRange, subscribers: SubscriberSeries, progress: Progress | undefined) {
  let count = subscribers.countBefore;
  const nothing = { gained: 0, lost: 0, count: null };
  return fillBuckets(range.buckets, subscribers.buckets, progress, nothing).map(({ bucket, complete, row }) => {
    count = row?.count ?? count;
    return {
      start: sayDay(bucket.startMs),
      complete,
      gained: row?.gained ?? null,
      lost: row?.lost ?? null,
      count: row === null ? null : count,
    };
  });
}
