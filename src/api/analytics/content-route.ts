// How one item does, against the creator's others.
import { z } from "zod";
import { contentAnalyticsAnswerSchema, type ContentAnalyticsAnswer } from "../../contract/analytics.ts";
import { contentIdSchema, type ContentId, type CreatorId } from "../../contract/ids.ts";
import { LIVE_RPC_VERSION } from "../../contract/live-rpc.ts";
import { streamSummarySchema, type StreamSummary } from "../../contract/live-frames.ts";
import { echoTimeRange, onFullHours, timeRangeQuerySchema } from "../../contract/time-range.ts";
import { creatorHub } from "../../creator-hub/stubs.ts";
import type { Analytics } from "../../store/clickhouse/analytics.ts";
import { readItemSeries } from "../../store/clickhouse/engagement-series.ts";
import { readProgress } from "../../store/clickhouse/ingest-progress.ts";
import { hasMetrics } from "../../store/clickhouse/item-benchmark.ts";
import type { CatalogueItem } from "../../store/postgres/catalogue.ts";
import { StoreUnavailable } from "../../store/store-unavailable.ts";
import { rangeOf } from "../parameters.ts";
import { Problem, storeProblem } from "../problem.ts";
import { creatorRoute } from "../route.ts";
import { readBenchmark } from "./benchmark.ts";
import { seriesAnswer, totalsAnswer } from "./engagement-answer.ts";
import { readOwnItem } from "./from-postgres.ts";
import { freshnessOf } from "./progress-of.ts";
import { orElse } from "./with-deadline.ts";

/** `GET /api/v1/creator/analytics/content/{contentId}`. */
export const contentAnalyticsRoute = creatorRoute({
  method: "get",
  path: "/api/v1/creator/analytics/content/{contentId}",
  tag: "Analytics",
  summary: "Totals and series of one item",
  description:
    "What an item did in a range, the median of the creator's other items in the same days of their lives, and its last finished stream. While analytics are down the problem carries `lastStream`.",
  query: timeRangeQuerySchema,
  params: z.strictObject({ contentId: contentIdSchema }),
  answer: contentAnalyticsAnswerSchema,
  problems: ["not_found", "analytics_unavailable"],
  handle: async ({ query, params: { contentId }, creator, services, env }) => {
    const { analytics, postgres, clock } = services;
    const { creatorId } = creator;
    const { range, warnings } = onFullHours(rangeOf(query, creator, clock));
    const lastStream = readLastStream(env, creatorId, contentId);
    const item = readOwnItem(postgres, creatorId, contentId);
    try {
      const progress = (await readProgressUnlessMissing(analytics, item)).get("content_metrics");
      const owned = await ownedItem(await item, analytics, creatorId, contentId);
      const [rows, benchmark] = await Promise.all([
        readItemSeries(analytics, creatorId, contentId, range),
        readBenchmark(services, creatorId, owned, range, progress),
      ]);
      const answer: ContentAnalyticsAnswer = {
        query: echoTimeRange(range),
        ...freshnessOf(progress),
        warnings,
        content: contentAnswer(contentId, owned),
        totals: totalsAnswer(range, rows, progress),
        comparison: null,
        series: seriesAnswer(range, rows, progress),
        benchmark,
        lastStream: await lastStream,
      };
      return { answer };
    } catch (error) {
      throw error instanceof StoreUnavailable ? storeProblem(error, { lastStream: await lastStream }) : error;
    }
  },
});

/** The hub's own memory of the item's last stream; null when it has none or does not answer. */
function readLastStream(
  env: Parameters<typeof creatorHub>[0],
  creatorId: CreatorId,
  contentId: ContentId,
): Promise<StreamSummary | null> {
  const ask = async () => {
    const summary = await creatorHub(env, creatorId).lastStream({ v: LIVE_RPC_VERSION, contentId });
    return streamSummarySchema.nullable().parse(summary);
  };
  return orElse(ask(), null);
}

/** An item that the catalogue does not know is a 404 even while analytics are down. */
async function readProgressUnlessMissing(
  analytics: Analytics,
  item: Promise<CatalogueItem | null | "unavailable">,
): ReturnType<typeof readProgress> {
  const [progress, known] = await Promise.allSettled([readProgress(analytics), item]);
  if (known.status === "fulfilled" && known.value === null) {
    throw notTheirs();
  }
  if (progress.status === "rejected") {
    throw progress.reason;
  }
  return progress.value;
}

/** The creator's item; null where only its metrics say that it is theirs. */
async function ownedItem(
  item: CatalogueItem | null | "unavailable",
  analytics: Analytics,
  creatorId: CreatorId,
  contentId: ContentId,
): Promise<CatalogueItem | null> {
  if (item === "unavailable") {
    if (!(await hasMetrics(analytics, creatorId, contentId))) {
      throw notTheirs();
    }
    return null;
  }
  if (item === null) {
    throw notTheirs();
  }
  return item;
}

/** The same for what does not exist and what is another creator's. */
function notTheirs(): Problem {
  return new Problem("not_found", "There is no such item among yours.");
}

function contentAnswer(contentId: ContentId, item: CatalogueItem | null): ContentAnalyticsAnswer["content"] {
  return {
    contentId,
    title: item?.title ?? null,
    kind: item?.kind ?? null,
    status: item?.status ?? null,
    publishedAt: item?.published_at ?? null,
    durationSeconds: item?.duration_s ?? null,
  };
}
