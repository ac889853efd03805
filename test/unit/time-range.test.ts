import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  echoTimeRange,
  isComplete,
  MAX_RANGE_DAYS,
  onFullHours,
  resolveTimeRange,
  timeRangeQuerySchema,
  type TimeRange,
} from "../../src/contract/time-range.ts";
import { formatInstant } from "../../src/contract/time-zone.ts";

const now = "2026-11-22T20:05:11Z";

function resolve(parameters: Record<string, string>, at = now, defaultTimeZone?: string): TimeRange {
  return resolveTimeRange(timeRangeQuerySchema.parse(parameters), { nowMs: Date.parse(at), defaultTimeZone });
}

function startsOf(range: TimeRange): string[] {
  return range.buckets.map(({ startMs }) => formatInstant(startMs, range.timeZone));
}

const dateOf = (day: number) => new Date(day * 86_400_000).toISOString().slice(0, 10);

/** What a bad query says: the parameter and the message. */
function complaintOf(parameters: Record<string, string>): [parameter: unknown, message: string] {
  try {
    resolve(parameters);
  } catch (error) {
    if (error instanceof z.ZodError && error.issues[0]) {
      return [error.issues[0].path[0], error.issues[0].message];
    }
  }
  throw new Error(`accepted ${JSON.stringify(parameters)}`);
}

describe("ranges", () => {
  test("seven days in Lagos end with today's midnight there", () => {
    expect(echoTimeRange(resolve({ range: "7d", tz: "Africa/Lagos" }))).toEqual({
      range: "7d",
      start: "2026-11-16T00:00:00+01:00",
      end: "2026-11-23T00:00:00+01:00",
      timeZone: "Africa/Lagos",
      granularity: "day",
      compare: "none",
    });
  });

  test("28 days in UTC is the default", () => {
    expect(echoTimeRange(resolve({}))).toMatchObject({
      range: "28d",
      start: "2026-10-26T00:00:00+00:00",
      end: "2026-11-23T00:00:00+00:00",
      timeZone: "UTC",
    });
  });

  test("24 hours end with the current hour", () => {
    const range = resolve({ range: "24h", tz: "Africa/Lagos" });

    expect(range.buckets).toHaveLength(24);
    expect(echoTimeRange(range)).toMatchObject({
      start: "2026-11-21T22:00:00+01:00",
      end: "2026-11-22T22:00:00+01:00",
      granularity: "hour",
    });
  });

  test.each([
    ["month", "2026-11-01T00:00:00+01:00"],
    ["year", "2026-01-01T00:00:00+01:00"],
    ["365d", "2025-11-23T00:00:00+01:00"],
  ])("%s begins at %s", (range, start) => {
    const echo = echoTimeRange(resolve({ range, tz: "Africa/Lagos" }));

    expect(echo).toMatchObject({ start, end: "2026-11-23T00:00:00+01:00" });
  });

  test("dates are days in the zone, the end not included, and have no name", () => {
    expect(echoTimeRange(resolve({ start: "2026-11-01", end: "2026-11-03", tz: "America/New_York" }))).toMatchObject({
      range: null,
      start: "2026-11-01T00:00:00-04:00",
      end: "2026-11-03T00:00:00-05:00",
    });
  });

  test("today is the zone's, not UTC's", () => {
    expect(echoTimeRange(resolve({ range: "7d", tz: "Pacific/Auckland" })).end).toBe("2026-11-24T00:00:00+13:00");
  });

  test("the sign-in's zone is the default, and UTC where it is none", () => {
    expect(resolve({}, now, "Africa/Lagos").timeZone).toBe("Africa/Lagos");
    expect(resolve({ tz: "Asia/Tokyo" }, now, "Africa/Lagos").timeZone).toBe("Asia/Tokyo");
    expect(resolve({}, now, "Mars/Olympus").timeZone).toBe("UTC");
  });
});

describe("buckets", () => {
  test("weeks begin on Monday and the first is cut by the range", () => {
    expect(startsOf(resolve({ start: "2026-11-05", end: "2026-11-18", granularity: "week" }))).toEqual([
      "2026-11-05T00:00:00+00:00",
      "2026-11-09T00:00:00+00:00",
      "2026-11-16T00:00:00+00:00",
    ]);
  });

  test("months begin on the first", () => {
    expect(startsOf(resolve({ start: "2026-01-31", end: "2026-03-02", granularity: "month" }))).toEqual([
      "2026-01-31T00:00:00+00:00",
      "2026-02-01T00:00:00+00:00",
      "2026-03-01T00:00:00+00:00",
    ]);
  });

  test.each([
    [{ range: "24h" }, "hour"],
    [{ start: "2026-11-01", end: "2026-11-03" }, "hour"],
    [{ start: "2026-11-01", end: "2026-11-04" }, "day"],
    [{ range: "90d" }, "day"],
    [{ range: "365d" }, "week"],
  ])("auto chooses for %j buckets of a %s", (parameters, granularity) => {
    expect(resolve(parameters).granularity).toBe(granularity);
  });

  test("a bucket is complete when all of it has arrived", () => {
    const bucket = { startMs: 0, endMs: 3_600_000 };

    expect(isComplete(bucket, 3_600_000)).toBe(true);
    expect(isComplete(bucket, 3_599_999)).toBe(false);
    expect(isComplete(bucket, null)).toBe(false);
  });

  test("whatever the query, buckets cover the range without gap or overlap", () => {
    const zones = ["UTC", "Africa/Lagos", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"];
    const granularity = ["day", "week", "month", "auto"];
    const query = fc.record({
      tz: fc.constantFrom(...zones),
      granularity: fc.constantFrom(...granularity),
      startDay: fc.integer({ min: Date.UTC(2010, 0, 1) / 86_400_000, max: Date.UTC(2026, 10, 1) / 86_400_000 }),
      days: fc.integer({ min: 1, max: MAX_RANGE_DAYS }),
    });

    fc.assert(
      fc.property(query, ({ startDay, days, ...rest }) => {
        const exact = resolve({ ...rest, start: dateOf(startDay), end: dateOf(startDay + days) });
        for (const range of [exact, onFullHours(exact).range]) {
          expect(range.buckets[0]?.startMs).toBe(range.startMs);
          expect(range.buckets.at(-1)?.endMs).toBe(range.endMs);
          range.buckets.forEach((bucket, index) => {
            expect(bucket.startMs).toBeLessThan(bucket.endMs);
            expect(bucket.endMs).toBe(range.buckets[index + 1]?.startMs ?? range.endMs);
          });
        }
        expect(onFullHours(exact).range.buckets.every(({ startMs }) => startMs % 3_600_000 === 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a bad parameter is named", () => {
  test.each([
    [{ range: "6d" }, "range", "expected one of 24h, 7d, 28d, 90d, 365d, month, year"],
    [{ range: "" }, "range", "expected one of 24h, 7d, 28d, 90d, 365d, month, year"],
    [{ granularity: "minute" }, "granularity", "expected one of hour, day, week, month, auto"],
    [{ range: "90d", granularity: "hour" }, "granularity", "hour is available for at most 31 days"],
    [{ tz: "Lagos" }, "tz", "expected an IANA time zone such as Africa/Lagos"],
    [{ tz: "+01:00" }, "tz", "expected an IANA time zone such as Africa/Lagos"],
    [{ tz: "" }, "tz", "expected an IANA time zone such as Africa/Lagos"],
    [{ compare: "previous" }, "compare", "only none is available"],
    [{ start: "2026-11-01" }, "end", "expected together with start"],
    [{ end: "2026-11-01" }, "start", "expected together with end"],
    [{ start: "2026-02-30", end: "2026-03-01" }, "start", "expected a date such as 2026-11-16"],
    [{ start: "2026-11-01T00:00:00Z", end: "2026-11-02" }, "start", "expected a date such as 2026-11-16"],
    [
      { start: "2026-11-02", end: "2026-11-02" },
      "end",
      "expected a day after start: end is the day after the last one",
    ],
    [{ start: "2026-11-23", end: "2026-11-24" }, "start", "expected today or earlier"],
    [{ start: "1999-12-31", end: "2000-01-02" }, "start", "expected 2000-01-01 or later"],
    [{ start: "2025-01-01", end: "2026-11-01" }, "end", "expected at most 400 days after start"],
    [{ range: "7d", start: "2026-11-01", end: "2026-11-02" }, "range", "expected either range or start and end"],
  ])("%j names %s", (parameters, parameter, message) => {
    expect(complaintOf(parameters)).toEqual([parameter, message]);
  });

  test("an unknown parameter is refused", () => {
    const result = timeRangeQuerySchema.safeParse({ format: "csv" });

    expect(result.error?.issues[0]).toMatchObject({ code: "unrecognized_keys", keys: ["format"] });
  });
});
