// A creator's items in order, over any range: whole months and days from the read models for rankings, the hours between
// them and the range's ends from the one in the order of hours. A year of a creator with hundreds of items stays short.
import { z } from "zod";
import type { ContentId, CreatorId } from "../../contract/ids.ts";
import { contentIdSchema } from "../../contract/ids.ts";
import type { TimeBucket } from "../../contract/time-range.ts";
import { DAY_MS } from "../../contract/time-zone.ts";
import type { Analytics } from "./analytics.ts";
import { countColumn } from "./column-values.ts";

/** One item's sums over the range. */
export interface RankedItem {
  contentId: ContentId;
  views: number;
  watchTimeSeconds: number;
  completions: number;
}

const itemRow = z
  .object({ content_id: contentIdSchema, views: countColumn, watch_time_s: countColumn, completions: countColumn })
  .transform(({ content_id: contentId, watch_time_s: watchTimeSeconds, ...rest }) => ({
    contentId,
    watchTimeSeconds,
    ...rest,
  }));

/** What comes first. Items that are equal in it are in the order of their ids. */
export type RankingOrder = "views" | "completion rate";

const orders: Record<RankingOrder, string> = {
  views: "views DESC, content_id",
  "completion rate": "completions / views DESC, content_id",
};

/**
 * The first `limit` items with at least `minimumViews`. The range is on full hours.
 * @throws StoreUnavailable
 */
export function readRanking(
  analytics: Analytics,
  creatorId: CreatorId,
  span: TimeBucket,
  ranking: { order: RankingOrder; minimumViews: number; limit: number },
): Promise<RankedItem[]> {
  const { hours, days, months } = splitSpan(span);
  return analytics.ask({
    operation: `ranking by ${ranking.order}`,
    creatorId,
    sql: `SELECT content_id, sum(parts.views) AS views, sum(parts.watch_time_s) AS watch_time_s,
            sum(parts.completions) AS completions
          FROM
          (
            SELECT content_id, views, watch_time_s, completions
            FROM content_metrics_edge_hours
            WHERE creator_id = {creator_id:String} AND ${inEither("period", "hours", instant)}
            UNION ALL
            SELECT content_id, views, watch_time_s, completions
            FROM content_metrics_daily
            WHERE creator_id = {creator_id:String} AND ${inEither("day", "days", date)}
            UNION ALL
            SELECT content_id, views, watch_time_s, completions
            FROM content_metrics_monthly
            WHERE creator_id = {creator_id:String} AND month >= {first_month:Date} AND month < {end_month:Date}
          ) AS parts
          GROUP BY content_id
          HAVING views >= {minimum_views:UInt64}
          ORDER BY ${orders[ranking.order]}
          LIMIT {limit:UInt16}`,
    parameters: {
      ...pieceParameters("hours", hours, (ms) => ms / 1_000),
      ...pieceParameters("days", days, dateOf),
      first_month: dateOf(months.startMs),
      end_month: dateOf(months.endMs),
      minimum_views: ranking.minimumViews,
      limit: ranking.limit,
    },
    row: itemRow,
  });
}

/** A span in pieces: months in the middle, days on both sides of them, hours outside. Any of them may be empty. */
export interface SplitSpan {
  hours: readonly [before: TimeBucket, after: TimeBucket];
  days: readonly [before: TimeBucket, after: TimeBucket];
  months: TimeBucket;
}

/** Takes a span on full hours apart along the days and months of UTC. */
export function splitSpan(span: TimeBucket): SplitSpan {
  const days = cutAt(span, Math.ceil(span.startMs / DAY_MS) * DAY_MS, Math.floor(span.endMs / DAY_MS) * DAY_MS);
  const months = cutAt(days.middle, monthFrom(days.middle.startMs), monthUntil(days.middle.endMs));
  return {
    hours: [days.before, days.after],
    days: [months.before, months.after],
    months: months.middle,
  };
}

/** Cuts at two points; where they lie the wrong way round, everything is before them. */
function cutAt(span: TimeBucket, firstMs: number, lastMs: number) {
  const { startMs, endMs } = span;
  if (firstMs >= lastMs) {
    return { before: span, middle: { startMs: endMs, endMs }, after: { startMs: endMs, endMs } };
  }
  return {
    before: { startMs, endMs: firstMs },
    middle: { startMs: firstMs, endMs: lastMs },
    after: { startMs: lastMs, endMs },
  };
}

/** The first month that begins at or after a day. */
function monthFrom(dayMs: number): number {
  const day = new Date(dayMs);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + (day.getUTCDate() === 1 ? 0 : 1));
}

/** The last month that begins at or before a day. */
function monthUntil(dayMs: number): number {
  const day = new Date(dayMs);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth());
}

/** A condition for either of a piece's two spans. `bound` makes a parameter's value one that the column compares with. */
function inEither(column: string, piece: string, bound: (parameter: string) => string): string {
  const one = (no: 0 | 1) =>
    `(${column} >= ${bound(`${piece}_since_${no}`)} AND ${column} < ${bound(`${piece}_until_${no}`)})`;
  return `(${one(0)} OR ${one(1)})`;
}

const instant = (parameter: string) => `toDateTime({${parameter}:UInt32}, 'UTC')`;
const date = (parameter: string) => `{${parameter}:Date}`;

function pieceParameters<Value>(
  piece: string,
  [before, after]: readonly [TimeBucket, TimeBucket],
  say: (ms: number) => Value,
): Record<string, Value> {
  return {
    [`${piece}_since_0`]: say(before.startMs),
    [`${piece}_until_0`]: say(before.endMs),
    [`${piece}_since_1`]: say(after.startMs),
    [`${piece}_until_1`]: say(after.endMs),
  };
}

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
