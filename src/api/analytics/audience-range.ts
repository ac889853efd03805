// The audience is kept per UTC day, so a range for it is one of whole UTC days.
import type { TimeRange, TimeRangeQuery } from "../../contract/time-range.ts";
import { DAY_MS, formatDay } from "../../contract/time-zone.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Creator } from "../authentication.ts";
import { rangeOf } from "../parameters.ts";
import { invalidParameter } from "../problem.ts";

/**
 * The UTC days of a query: `24h` becomes the days that it touches. `isMoved` says that this is not quite what the query
 * or the reader's own zone would mean elsewhere.
 * @throws Problem 400 naming the parameter at fault
 */
export function audienceRange(
  query: TimeRangeQuery,
  creator: Creator,
  clock: Clock,
): { range: TimeRange; isMoved: boolean } {
  if (query.granularity === "hour") {
    throw invalidParameter([
      { parameter: "granularity", message: "hour is not available: the audience is kept per day" },
    ]);
  }
  const asked = rangeOf(query, creator, clock);
  const days = daysTouched(query, creator, clock);
  const granularity = query.granularity ?? "auto";
  const range = rangeOf(
    { ...days, tz: "UTC", granularity: granularity === "auto" && asked.granularity === "hour" ? "day" : granularity },
    creator,
    clock,
  );
  return {
    range: { ...range, range: asked.range },
    isMoved: range.startMs !== asked.startMs || range.endMs !== asked.endMs,
  };
}

function daysTouched(
  query: TimeRangeQuery,
  creator: Creator,
  clock: Clock,
): Pick<TimeRangeQuery, "range" | "start" | "end"> {
  if (query.range !== "24h") {
    const { range, start, end } = query;
    return { range, start, end };
  }
  const { startMs, endMs } = rangeOf({ range: "24h", tz: "UTC" }, creator, clock);
  return { start: formatDay(Math.floor(startMs / DAY_MS)), end: formatDay(Math.ceil(endMs / DAY_MS)) };
}
