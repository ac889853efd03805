// What a creator's other items did in the same days of their lives.
import { z } from "zod";
import { contentIdSchema, type ContentId, type CreatorId } from "../../contract/ids.ts";
import type { Analytics } from "./analytics.ts";
import { countColumn } from "./column-values.ts";

/** An item and the days to look at: half-open, as `YYYY-MM-DD` in UTC. */
export interface ItemDays {
  contentId: ContentId;
  firstDay: string;
  endDay: string;
}

/** What an item did in its days. */
export interface ItemDaysTotals {
  contentId: ContentId;
  views: number;
  completions: number;
}

const totalsRow = z
  .object({ content_id: contentIdSchema, views: countColumn, completions: countColumn })
  .transform(({ content_id: contentId, ...rest }) => ({ contentId, ...rest }));

/**
 * The totals of each item; one that nobody watched then is left out. At most 50 items, or the rows read grow too many.
 * @throws StoreUnavailable
 */
export function readItemDays(
  analytics: Analytics,
  creatorId: CreatorId,
  items: readonly [ItemDays, ...ItemDays[]],
): Promise<ItemDaysTotals[]> {
  // A condition of its own for each item, so that the engine skips all other days of it.
  const conditions = items.map(
    (_, no) => `(content_id = {item_${no}:String} AND day >= {first_${no}:Date} AND day < {end_${no}:Date})`,
  );
  return analytics.ask({
    operation: "item benchmark",
    creatorId,
    sql: `SELECT content_id, sum(daily.views) AS views, sum(daily.completions) AS completions
          FROM item_metrics_daily AS daily
          WHERE creator_id = {creator_id:String} AND (${conditions.join(" OR ")})
          GROUP BY content_id`,
    parameters: Object.fromEntries(
      items.flatMap(({ contentId, firstDay, endDay }, no) => [
        [`item_${no}`, contentId],
        [`first_${no}`, firstDay],
        [`end_${no}`, endDay],
      ]),
    ),
    row: totalsRow,
  });
}

/**
 * The UTC day on which the creator's metrics begin, as `YYYY-MM-DD`; null without any. What was before it is not known.
 * @throws StoreUnavailable
 */
export async function readFirstDay(analytics: Analytics, creatorId: CreatorId): Promise<string | null> {
  const [first] = await analytics.ask({
    operation: "first day",
    creatorId,
    // In the order of the key: the engine stops at the first row.
    sql: `SELECT toDate(period) AS day
          FROM creator_metrics_hourly
          WHERE creator_id = {creator_id:String}
          ORDER BY period
          LIMIT 1`,
    parameters: {},
    row: z.object({ day: z.iso.date() }),
  });
  return first?.day ?? null;
}

/**
 * Whether the creator has metrics of an item: who owns it, while the catalogue cannot be asked.
 * @throws StoreUnavailable
 */
export async function hasMetrics(analytics: Analytics, creatorId: CreatorId, contentId: ContentId): Promise<boolean> {
  const rows = await analytics.ask({
    operation: "item existence",
    creatorId,
    sql: `SELECT 1 AS found
          FROM item_metrics_daily
          WHERE creator_id = {creator_id:String} AND content_id = {content_id:String}
          LIMIT 1`,
    parameters: { content_id: contentId },
    row: z.object({ found: z.literal(1) }),
  });
  return rows.length > 0;
}
