// Cases of civil time that depend on a runtime's own zone data: the same ones run in Node and in workerd.
import { echoTimeRange, onFullHours, resolveTimeRange, timeRangeQuerySchema } from "../src/contract/time-range.ts";
import { dayAt, formatDay, formatInstant, isTimeZone, parseDay, startOfDay } from "../src/contract/time-zone.ts";

interface TimeZoneCase {
  name: string;
  actual: () => unknown;
  expected: unknown;
}

function resolve(parameters: Record<string, string>) {
  const nowMs = Date.parse("2026-11-22T20:05:11Z");
  return resolveTimeRange(timeRangeQuerySchema.parse(parameters), { nowMs });
}

function hoursOf(start: string, end: string, tz: string): number[] {
  const { buckets } = resolve({ start, end, tz, granularity: "day" });
  return buckets.map(({ startMs, endMs }) => (endMs - startMs) / 3_600_000);
}

function startsOf(start: string, end: string, tz: string, granularity: string): string[] {
  return resolve({ start, end, tz, granularity }).buckets.map(({ startMs }) => formatInstant(startMs, tz));
}

const beginsAt = (timeZone: string, date: string) => formatInstant(startOfDay(timeZone, parseDay(date)), timeZone);
const shows = (instant: string, timeZone: string) => formatInstant(Date.parse(instant), timeZone);
const dayOf = (instant: string, timeZone: string) => formatDay(dayAt(timeZone, Date.parse(instant)));

const names = ["Africa/Lagos", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "Asia/Kolkata"];
const noNames = ["Lagos", "+01:00", "UTC+1", "../etc", "Africa/Lagos ", "A/B/C/D", "x".repeat(5_000)];

export const timeZoneCases: TimeZoneCase[] = [
  {
    name: "the day of the spring change has 23 hours",
    actual: () => hoursOf("2026-03-28", "2026-03-31", "Europe/London"),
    expected: [24, 23, 24],
  },
  {
    name: "the day of the autumn change has 25 hours",
    actual: () => hoursOf("2026-10-24", "2026-10-27", "Europe/London"),
    expected: [24, 25, 24],
  },
  {
    name: "hours go on through the spring change, and the skipped hour is not there",
    actual: () => startsOf("2026-03-08", "2026-03-09", "America/New_York", "hour").slice(0, 3),
    expected: ["2026-03-08T00:00:00-05:00", "2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"],
  },
  {
    name: "the repeated hour of the autumn change appears twice, told apart by its offset",
    actual: () => startsOf("2026-11-01", "2026-11-02", "America/New_York", "hour").slice(0, 3),
    expected: ["2026-11-01T00:00:00-04:00", "2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00"],
  },
  {
    name: "a day whose midnight is skipped begins after the gap",
    actual: () => [beginsAt("Africa/Cairo", "2026-04-24"), beginsAt("America/Havana", "2026-03-08")],
    expected: ["2026-04-24T01:00:00+03:00", "2026-03-08T01:00:00-04:00"],
  },
  {
    name: "a day whose midnight happens twice begins with the first",
    actual: () => beginsAt("America/Havana", "2026-11-01"),
    expected: "2026-11-01T00:00:00-04:00",
  },
  {
    name: "a day that a zone skipped as a whole has no bucket",
    actual: () => startsOf("2011-12-29", "2012-01-01", "Pacific/Apia", "day"),
    expected: ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"],
  },
  {
    name: "a zone off the full hour is rounded down to it, with a warning",
    actual: () => {
      const { range, warnings } = onFullHours(resolve({ range: "7d", tz: "Asia/Kolkata" }));
      const { start, end } = echoTimeRange(range);
      return { start, end, warnings };
    },
    expected: {
      start: "2026-11-16T23:30:00+05:30",
      end: "2026-11-23T23:30:00+05:30",
      warnings: ["zone_boundary_rounded"],
    },
  },
  {
    name: "a zone on the full hour is neither moved nor warned about",
    actual: () => onFullHours(resolve({ range: "7d", tz: "Africa/Lagos" })),
    expected: { range: resolve({ range: "7d", tz: "Africa/Lagos" }), warnings: [] },
  },
  {
    name: "a zone that is off the full hour for half the year is warned about only then",
    actual: () =>
      [
        { start: "2026-07-01", end: "2026-07-03" },
        { start: "2026-01-01", end: "2026-01-03" },
      ].map((dates) => onFullHours(resolve({ ...dates, tz: "Australia/Lord_Howe" })).warnings),
    expected: [["zone_boundary_rounded"], []],
  },
  {
    name: "the offset of an instant is the one in force then",
    actual: () => [
      shows("2026-07-01T12:00:00Z", "Europe/London"),
      shows("2026-01-01T12:00:00Z", "Europe/London"),
      shows("2026-01-01T12:00:00Z", "America/St_Johns"),
    ],
    expected: ["2026-07-01T13:00:00+01:00", "2026-01-01T12:00:00+00:00", "2026-01-01T08:30:00-03:30"],
  },
  {
    name: "the day of an instant is the zone's",
    actual: () => [
      dayOf("2026-11-22T10:00:00Z", "Pacific/Kiritimati"),
      dayOf("2026-11-22T10:59:59Z", "Pacific/Pago_Pago"),
    ],
    expected: ["2026-11-23", "2026-11-21"],
  },
  {
    name: "zones of the IANA database are known, and nothing else",
    actual: () => [...names, ...noNames].filter((name) => isTimeZone(name)),
    expected: names,
  },
];
