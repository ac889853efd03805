// What an item does in an hour, in whole numbers only: once in JavaScript, to know what must come out, and once in
// ClickHouse, to make millions of rows where they belong. A test compares the two row by row.
import type { SeedItem } from "./catalogue.ts";
import { countAround, countAroundSql, div, drawsOf, drawsSql, scaledToHour, scaledToHourSql } from "./rhythm.ts";

/** One hour of one item, in the columns of content_metrics. */
export interface HourlyMetrics {
  views: number;
  watchTimeSeconds: number;
  likes: number;
  shares: number;
  completions: number;
}

/**
 * The metrics of an item in an hour (since the Unix epoch); null when nobody watched, which makes no row.
 * @param nowHour the hour at which the history ends
 */
export function metricsInHour(item: SeedItem, hour: number, nowHour: number): HourlyMetrics | null {
  if (hour < item.firstHour || hour >= item.endHour) {
    return null;
  }
  // All of it at publication, a third after two months, a sixth in the end.
  const decay = 150 + div(17_000, 20 + div(hour - publishedHourOf(item), 24));
  const meanMilli = scaledToHour(div(item.viewsPerHourMilli * decay, 1_000), hour, nowHour);
  const [a, b, c, d] = drawsOf(item.itemNo, hour);
  const views = countAround(meanMilli, a, b);
  if (views === 0) {
    return null;
  }
  return {
    views,
    watchTimeSeconds: div(views * item.averageWatchSeconds * (52_429 + div(c * 26_214, 65_536)), 65_536),
    // Now and then someone takes a like back, and the hour ends below 0.
    likes: div(views * item.likePermille + div(d * 1_000, 65_536), 1_000) - (c % 97 === 0 ? 1 : 0),
    shares: div(views * item.sharePermille + div(c * 1_000, 65_536), 1_000),
    completions: Math.min(views, div(views * item.completionPermille + div(((c + d) % 65_536) * 1_000, 65_536), 1_000)),
  };
}

/** The full hour of publication, since the Unix epoch; of an item without one it does not matter: it has no hours. */
export function publishedHourOf(item: SeedItem): number {
  return div(item.publishedAt ?? 0, 3_600_000);
}

/** The columns of `seed_items`, from which `metricsQuery` makes the rows. */
export const seedItemColumns = {
  creator_id: "String",
  content_id: "String",
  no: "UInt64",
  published_hour: "UInt64",
  first_hour: "UInt64",
  end_hour: "UInt64",
  views_per_hour_milli: "UInt64",
  average_watch_seconds: "UInt64",
  like_permille: "UInt64",
  share_permille: "UInt64",
  completion_permille: "UInt64",
} as const;

/** An item as a row of `seed_items`. */
export function seedItemRow(creatorId: string, item: SeedItem): Record<keyof typeof seedItemColumns, string | number> {
  return {
    creator_id: creatorId,
    content_id: item.contentId,
    no: item.itemNo,
    published_hour: publishedHourOf(item),
    first_hour: item.firstHour,
    end_hour: item.endHour,
    views_per_hour_milli: item.viewsPerHourMilli,
    average_watch_seconds: item.averageWatchSeconds,
    like_permille: item.likePermille,
    share_permille: item.sharePermille,
    completion_permille: item.completionPermille,
  };
}

/** `metricsInHour` of all items as a query over `seed_items`, in the columns of content_metrics; parameter `now_hour`. */
export const metricsQuery = `WITH
  150 + intDiv(17000, 20 + intDiv(hour - published_hour, 24)) AS decay,
  ${scaledToHourSql("intDiv(views_per_hour_milli * decay, 1000)")} AS mean_milli,
  ${drawsSql}
SELECT
  creator_id,
  content_id,
  toDateTime(hour * 3600, 'UTC') AS period,
  ${countAroundSql("mean_milli", "a", "b")} AS views,
  intDiv(views * average_watch_seconds * (52429 + intDiv(c * 26214, 65536)), 65536) AS watch_time_s,
  toInt64(intDiv(views * like_permille + intDiv(d * 1000, 65536), 1000)) - (c % 97 = 0) AS likes,
  intDiv(views * share_permille + intDiv(c * 1000, 65536), 1000) AS shares,
  least(views, intDiv(views * completion_permille + intDiv((c + d) % 65536 * 1000, 65536), 1000)) AS completions
FROM (SELECT *, toUInt64(arrayJoin(range(first_hour, end_hour))) AS hour FROM seed_items)
WHERE views > 0`;
