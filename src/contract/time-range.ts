// The time parameters that every analytics and revenue route shares, and what they mean: half-open instants, buckets in
// the reader's own zone, and which of them are complete. Pure; the current instant is handed in.
import { z } from "zod";
import { dayAt, formatDay, formatInstant, HOUR_MS, isTimeZone, offsetMs, parseDay, startOfDay } from "./time-zone.ts";

/** Ranges by name. `24h` is 24 UTC hours ending with the current one; the others are whole days in the zone. */
export const rangeNames = ["24h", "7d", "28d", "90d", "365d", "month", "year"] as const;
export type RangeName = (typeof rangeNames)[number];

/** Widths of a bucket. Weeks begin on Monday (ISO 8601). */
export const granularities = ["hour", "day", "week", "month"] as const;
export type Granularity = (typeof granularities)[number];

/** The longest range that can be asked for, in days (quality goals, request limits). */
export const MAX_RANGE_DAYS = 400;
/** The longest range in hours, in days: a month, so at most 745 buckets. */
export const MAX_HOURLY_RANGE_DAYS = 31;
/** `auto` takes hours up to this many days, days up to the next bound, weeks beyond: at most about 100 buckets (ours). */
const AUTO_HOUR_DAYS = 2;
const AUTO_DAY_DAYS = 92;
/** Dates before it are refused: no video service's metrics are older, and zones were less regular. */
const EARLIEST_DATE = "2000-01-01";

const oneOf = <const Value extends string>(values: readonly [Value, ...Value[]]) =>
  z.enum(values, { error: `expected one of ${values.join(", ")}` });
const dateSchema = z.iso.date({ error: "expected a date such as 2026-11-16" });

/** The shared query parameters, to be spread into a route's strict schema. */
export const timeRangeParameters = {
  range: oneOf(rangeNames).optional().meta({ description: "A range by name; 28d unless start and end are given." }),
  start: dateSchema.optional().meta({ description: "First day, in the zone; together with end." }),
  end: dateSchema.optional().meta({ description: "The day after the last one, in the zone; together with start." }),
  tz: z
    .string()
    .refine(isTimeZone, { error: "expected an IANA time zone such as Africa/Lagos" })
    .optional()
    .meta({ description: "IANA time zone; the sign-in's own, else UTC." }),
  granularity: oneOf([...granularities, "auto"])
    .optional()
    .meta({ description: `Width of a bucket; hour for at most ${MAX_HOURLY_RANGE_DAYS} days. auto unless given.` }),
  compare: z
    .literal("none", { error: "only none is available" })
    .optional()
    .meta({ description: "The period to compare with." }),
};

/** The shared parameters alone; an unknown parameter is an error. */
export const timeRangeQuerySchema = z.strictObject(timeRangeParameters);
export type TimeRangeQuery = z.output<typeof timeRangeQuerySchema>;

/** Half-open: `startMs` belongs to it, `endMs` does not. */
export interface TimeBucket {
  startMs: number;
  endMs: number;
}

/** A resolved query. Its buckets cover it without gap or overlap; the first and the last may be cut by its ends. */
export interface TimeRange extends TimeBucket {
  /** Null when it was given by dates. */
  range: RangeName | null;
  timeZone: string;
  granularity: Granularity;
  compare: "none";
  buckets: TimeBucket[];
}

/**
 * Resolves valid parameters at an instant.
 * @param context `nowMs` is the current instant; `defaultTimeZone` the sign-in's zone, ignored when it is not one
 * @throws z.ZodError whose issue's path is the parameter at fault
 */
export function resolveTimeRange(
  query: TimeRangeQuery,
  context: { nowMs: number; defaultTimeZone?: string | undefined },
): TimeRange {
  const { nowMs, defaultTimeZone } = context;
  const fallback = defaultTimeZone !== undefined && isTimeZone(defaultTimeZone) ? defaultTimeZone : "UTC";
  const timeZone = query.tz ?? fallback;
  const range = rangeOf(query);
  const { granularity, ...span } = spanOf(range, query, timeZone, nowMs);
  const buckets = bucketsOf(span, timeZone, granularity);
  return { range, ...span, timeZone, granularity, compare: query.compare ?? "none", buckets };
}

/** The named range asked for; null when it is given by dates. */
function rangeOf(query: TimeRangeQuery): RangeName | null {
  if (query.start === undefined && query.end === undefined) {
    return query.range ?? "28d";
  }
  if (query.range !== undefined) {
    throw parameterError("range", "expected either range or start and end");
  }
  return null;
}

function spanOf(
  range: RangeName | null,
  query: TimeRangeQuery,
  timeZone: string,
  nowMs: number,
): TimeBucket & { granularity: Granularity } {
  const asked = query.granularity ?? "auto";
  if (range === "24h") {
    const endMs = hourOf(nowMs) + HOUR_MS;
    return { startMs: endMs - 24 * HOUR_MS, endMs, granularity: granularityOf(asked, 1) };
  }
  const today = dayAt(timeZone, nowMs);
  const { firstDay, endDay } = range === null ? daysBetween(query, today) : daysNamed(range, today);
  return {
    startMs: startOfDay(timeZone, firstDay),
    endMs: startOfDay(timeZone, endDay),
    granularity: granularityOf(asked, endDay - firstDay),
  };
}

const rangeDays = { "7d": 7, "28d": 28, "90d": 90, "365d": 365 } as const;

function daysNamed(range: Exclude<RangeName, "24h">, today: number): { firstDay: number; endDay: number } {
  const endDay = today + 1;
  if (range === "month") {
    return { firstDay: parseDay(`${formatDay(today).slice(0, 7)}-01`), endDay };
  }
  if (range === "year") {
    return { firstDay: parseDay(`${formatDay(today).slice(0, 4)}-01-01`), endDay };
  }
  return { firstDay: endDay - rangeDays[range], endDay };
}

function daysBetween(query: TimeRangeQuery, today: number): { firstDay: number; endDay: number } {
  if (query.start === undefined) {
    throw parameterError("start", "expected together with end");
  }
  if (query.end === undefined) {
    throw parameterError("end", "expected together with start");
  }
  const firstDay = parseDay(query.start);
  const endDay = parseDay(query.end);
  if (firstDay < parseDay(EARLIEST_DATE)) {
    throw parameterError("start", `expected ${EARLIEST_DATE} or later`);
  }
  if (firstDay > today) {
    throw parameterError("start", "expected today or earlier");
  }
  if (endDay <= firstDay) {
    throw parameterError("end", "expected a day after start: end is the day after the last one");
  }
  if (endDay - firstDay > MAX_RANGE_DAYS) {
    throw parameterError("end", `expected at most ${MAX_RANGE_DAYS} days after start`);
  }
  return { firstDay, endDay };
}

function granularityOf(asked: Granularity | "auto", days: number): Granularity {
  if (asked === "hour" && days > MAX_HOURLY_RANGE_DAYS) {
    throw parameterError("granularity", `hour is available for at most ${MAX_HOURLY_RANGE_DAYS} days`);
  }
  if (asked !== "auto") {
    return asked;
  }
  if (days <= AUTO_HOUR_DAYS) {
    return "hour";
  }
  return days <= AUTO_DAY_DAYS ? "day" : "week";
}

function bucketsOf(span: TimeBucket, timeZone: string, granularity: Granularity): TimeBucket[] {
  const inner = granularity === "hour" ? hoursWithin(span) : daysWithin(span, timeZone, beginsBucket[granularity]);
  const starts = [span.startMs, ...inner];
  return starts.map((startMs, index) => ({ startMs, endMs: starts[index + 1] ?? span.endMs }));
}

function hoursWithin(span: TimeBucket): number[] {
  const starts: number[] = [];
  for (let startMs = span.startMs + HOUR_MS; startMs < span.endMs; startMs += HOUR_MS) {
    starts.push(startMs);
  }
  return starts;
}

/** Whether a day begins a bucket. 1970-01-01 was a Thursday, so day 4 was a Monday. */
const beginsBucket: Record<Exclude<Granularity, "hour">, (day: number) => boolean> = {
  day: () => true,
  week: (day) => (day - 4) % 7 === 0,
  month: (day) => formatDay(day).endsWith("-01"),
};

function daysWithin(span: TimeBucket, timeZone: string, begins: (day: number) => boolean): number[] {
  const starts: number[] = [];
  let latest = span.startMs;
  for (let day = dayAt(timeZone, span.startMs) + 1; ; day += 1) {
    if (begins(day)) {
      const startMs = startOfDay(timeZone, day);
      if (startMs >= span.endMs) {
        return starts;
      }
      // A day that the zone skipped begins with the next one: it gets no bucket.
      if (startMs > latest) {
        starts.push(startMs);
        latest = startMs;
      }
    }
  }
}

function parameterError(parameter: keyof TimeRangeQuery, message: string): z.ZodError {
  return new z.ZodError([{ code: "custom", path: [parameter], message, input: undefined }]);
}

/** Metrics are hourly in UTC: a boundary off the full hour was moved down to it. */
export const ZONE_BOUNDARY_ROUNDED = "zone_boundary_rounded" as const;

const hourOf = (instantMs: number) => Math.floor(instantMs / HOUR_MS) * HOUR_MS;
const rounded = ({ startMs, endMs }: TimeBucket) => ({ startMs: hourOf(startMs), endMs: hourOf(endMs) });

/**
 * The range with every boundary moved down to a full hour of UTC, the grain of the hourly tables, and the warning that
 * goes with it in zones off the full hour. What it then covers is exactly what the answer's `start` and `end` say.
 */
export function onFullHours(range: TimeRange): { range: TimeRange; warnings: (typeof ZONE_BOUNDARY_ROUNDED)[] } {
  const isOffHour = (instantMs: number) => offsetMs(range.timeZone, instantMs) % HOUR_MS !== 0;
  const warns = range.buckets.some(({ startMs }) => isOffHour(startMs)) || isOffHour(range.endMs);
  return {
    // A last half hour of a day that is half an hour longer has no hour of its own.
    range: {
      ...range,
      ...rounded(range),
      buckets: range.buckets.map(rounded).filter(({ startMs, endMs }) => startMs < endMs),
    },
    warnings: warns ? [ZONE_BOUNDARY_ROUNDED] : [],
  };
}

/** Whether everything that belongs to a bucket has arrived. `completeThroughMs` is null when nobody knows. */
export function isComplete(bucket: TimeBucket, completeThroughMs: number | null): boolean {
  return completeThroughMs !== null && bucket.endMs <= completeThroughMs;
}

/** The query as it was run, echoed in every answer. `end` is half-open. */
export const timeRangeEchoSchema = z.object({
  range: z.enum(rangeNames).nullable(),
  start: z.iso.datetime({ offset: true }),
  end: z.iso.datetime({ offset: true }),
  timeZone: z.string(),
  granularity: z.enum(granularities),
  compare: z.literal("none"),
});
export type TimeRangeEcho = z.infer<typeof timeRangeEchoSchema>;

/** Says a resolved query in the answer's own terms. */
export function echoTimeRange(range: TimeRange): TimeRangeEcho {
  return {
    range: range.range,
    start: formatInstant(range.startMs, range.timeZone),
    end: formatInstant(range.endMs, range.timeZone),
    timeZone: range.timeZone,
    granularity: range.granularity,
    compare: range.compare,
  };
}
