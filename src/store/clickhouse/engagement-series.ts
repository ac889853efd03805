// Engagement over time, summed into a range's buckets: of a creator's whole catalogue, or of one item.
import { z } from "zod";
import type { ContentId, CreatorId } from "../../contract/ids.ts";
import type { TimeRange } from "../../contract/time-range.ts";
import type { Analytics } from "./analytics.ts";
import { countColumn, instantColumn, signedCountColumn } from "./column-values.ts";

/** What people did. `likes` are added less removed, and may be below 0. */
export interface Engagement {
  views: number;
  watchTimeSeconds: number;
  likes: number;
  shares: number;
  completions: number;
}

/** The sums of one bucket, by its start. A bucket in which nothing happened has none. */
export interface EngagementBucket extends Engagement {
  startMs: number;
}

const bucketRow = z
  .object({
    bucket: instantColumn,
    views: countColumn,
    watch_time_s: countColumn,
    likes: signedCountColumn,
    shares: countColumn,
    completions: countColumn,
  })
  .transform(({ bucket: startMs, watch_time_s: watchTimeSeconds, ...rest }) => ({
    startMs,
    watchTimeSeconds,
    ...rest,
  }));

const sumsPerBucket = `roundDown(toUnixTimestamp(period), {starts:Array(UInt32)}) AS bucket,
  sum(metrics.views) AS views, sum(metrics.watch_time_s) AS watch_time_s, sum(metrics.likes) AS likes,
  sum(metrics.shares) AS shares, sum(metrics.completions) AS completions`;
const withinRange = "period >= toDateTime({start:UInt32}, 'UTC') AND period < toDateTime({end:UInt32}, 'UTC')";

/**
 * All items together. The range is on full hours.
 * @throws StoreUnavailable
 */
export function readCreatorSeries(
  analytics: Analytics,
  creatorId: CreatorId,
  range: TimeRange,
): Promise<EngagementBucket[]> {
  return analytics.ask({
    operation: "creator series",
    creatorId,
    sql: `SELECT ${sumsPerBucket}
          FROM creator_metrics_hourly AS metrics
          WHERE creator_id = {creator_id:String} AND ${withinRange}
          GROUP BY bucket`,
    parameters: rangeParameters(range),
    row: bucketRow,
  });
}

/**
 * One item of the creator. The range is on full hours.
 * @throws StoreUnavailable
 */
export function readItemSeries(
  analytics: Analytics,
  creatorId: CreatorId,
  contentId: ContentId,
  range: TimeRange,
): Promise<EngagementBucket[]> {
  return analytics.ask({
    operation: "item series",
    creatorId,
    sql: `SELECT ${sumsPerBucket}
          FROM content_metrics AS metrics
          WHERE creator_id = {creator_id:String} AND content_id = {content_id:String} AND ${withinRange}
          GROUP BY bucket`,
    parameters: { ...rangeParameters(range), content_id: contentId },
    row: bucketRow,
  });
}

/** A range as ClickHouse counts time: seconds since the Unix epoch. */
export function rangeParameters(range: TimeRange): { start: number; end: number; starts: number[] } {
  return {
    start: range.startMs / 1_000,
    end: range.endMs / 1_000,
    starts: range.buckets.map(({ startMs }) => startMs / 1_000),
  };
}
