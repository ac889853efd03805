// Distinct viewers by country and device over whole UTC days. The sketches of viewers are merged here and nowhere else;
// who a viewer is never leaves the database.
import { z } from "zod";
import type { CreatorId } from "../../contract/ids.ts";
import type { Analytics } from "./analytics.ts";
import { countColumn } from "./column-values.ts";

/** What viewers are told apart by. */
export type AudienceDimension = "country" | "device";

/** Viewers and views of one country or device. */
export interface AudienceCell {
  dimension: AudienceDimension;
  name: string;
  viewers: number;
  views: number;
}

/** The cells of both dimensions, most viewers first, and the distinct viewers of all countries together. */
export interface Audience {
  viewers: number;
  cells: AudienceCell[];
}

/** Days in UTC, half-open, as `YYYY-MM-DD`. */
export interface DaySpan {
  firstDay: string;
  endDay: string;
}

const cellRow = z.object({
  dimension: z.enum(["country", "device"]),
  /** 1 for the row of all together. */
  is_total: z.int(),
  name: z.string(),
  views: countColumn,
  viewers: countColumn,
});

const withinDays = "creator_id = {creator_id:String} AND day >= {first_day:Date} AND day < {end_day:Date}";

const cellsQuery = (dimension: AudienceDimension) => `
  SELECT '${dimension}' AS dimension, toUInt8(grouping(${dimension})) AS is_total, toString(${dimension}) AS name,
    sum(daily.views) AS views, uniqCombined64Merge(daily.viewers) AS viewers
  FROM audience_${dimension}_daily AS daily
  WHERE ${withinDays}
  GROUP BY GROUPING SETS ((${dimension}), ())`;

/** @throws StoreUnavailable */
export async function readAudience(analytics: Analytics, creatorId: CreatorId, days: DaySpan): Promise<Audience> {
  const rows = await analytics.ask({
    operation: "audience",
    creatorId,
    sql: `SELECT * FROM (${cellsQuery("country")} UNION ALL ${cellsQuery("device")}) ORDER BY viewers DESC, name`,
    parameters: { first_day: days.firstDay, end_day: days.endDay },
    row: cellRow,
  });
  return {
    viewers: rows.find(({ dimension, is_total }) => dimension === "country" && is_total === 1)?.viewers ?? 0,
    cells: rows
      .filter(({ is_total }) => is_total === 0)
      .map(({ dimension, name, viewers, views }) => ({ dimension, name, viewers, views })),
  };
}

const viewersQuery = (dimension: AudienceDimension) => `
  SELECT '${dimension}' AS dimension, uniqCombined64Merge(viewers) AS viewers
  FROM audience_${dimension}_daily
  WHERE ${withinDays} AND toString(${dimension}) IN {${dimension}:Array(String)}`;

/**
 * The distinct viewers of several cells together: fewer than their sum where someone is in more than one.
 * @throws StoreUnavailable
 */
export async function readViewersOfCells(
  analytics: Analytics,
  creatorId: CreatorId,
  days: DaySpan,
  names: Record<AudienceDimension, readonly string[]>,
): Promise<Record<AudienceDimension, number>> {
  const rows = await analytics.ask({
    operation: "audience of cells",
    creatorId,
    sql: `${viewersQuery("country")} UNION ALL ${viewersQuery("device")}`,
    parameters: { first_day: days.firstDay, end_day: days.endDay, country: names.country, device: names.device },
    row: z.object({ dimension: z.enum(["country", "device"]), viewers: countColumn }),
  });
  const of = (wanted: AudienceDimension) => rows.find(({ dimension }) => dimension === wanted)?.viewers ?? 0;
  return { country: of("country"), device: of("device") };
}
