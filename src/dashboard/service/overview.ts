// The answer of `GET analytics/overview` as far as the page uses it.
import { flag, integer, list, nullable, number, object, oneOf, text, type Shaped } from "../live-client/shape.ts";
import type { Session } from "../session/session.ts";
import { get } from "./request.ts";

/** The ranges that the page offers, shortest first. */
export const ranges = ["24h", "7d", "28d", "90d", "365d"] as const;
/** How far back the overview looks: the last 24 hours or that many calendar days. */
export type Range = (typeof ranges)[number];

const instant = text((value) => !Number.isNaN(Date.parse(value)), "an instant");
const count = nullable(integer());
const minorUnits = text((value) => /^-?\d{1,19}$/.test(value), "minor units");

const bucketShape = object({
  start: instant,
  complete: flag,
  views: count,
  watchTimeSeconds: nullable(number()),
  likes: count,
  shares: count,
  completions: count,
  subscribersGained: count,
  subscribersLost: count,
});
/** One step of the series. Null is "not known". */
export type Bucket = Shaped<typeof bucketShape>;

const amountShape = object({
  currency: text((value) => /^[A-Z]{3}$/.test(value), "a currency"),
  estimatedMinor: minorUnits,
  finalMinor: minorUnits,
  paidMinor: minorUnits,
});

const overviewShape = object({
  query: object({
    start: instant,
    end: instant,
    timeZone: text(),
    granularity: oneOf("hour", "day", "week", "month"),
  }),
  asOf: nullable(instant),
  completeThrough: nullable(instant),
  warnings: list(text()),
  totals: object({
    views: count,
    watchTimeSeconds: nullable(number()),
    averageWatchSeconds: nullable(number()),
    likes: count,
    shares: count,
    completions: count,
    completionRate: nullable(number()),
    subscribers: object({ gained: count, lost: count, net: count, count }),
    revenue: object({
      status: oneOf("ok", "unavailable"),
      asOf: nullable(instant),
      amounts: nullable(list(amountShape)),
    }),
  }),
  series: list(bucketShape, 10_000),
  topContent: list(
    object({
      contentId: text(),
      title: nullable(text()),
      views: count,
      watchTimeSeconds: nullable(number()),
      completionRate: nullable(number()),
    }),
    100,
  ),
});
/** The overview of one range. Money is in minor units, per currency. */
export type Overview = Shaped<typeof overviewShape>;

/** Asks for the overview of `range` with its days and hours in `timeZone`. */
export function getOverview(session: Session, range: Range, timeZone: string, signal: AbortSignal): Promise<Overview> {
  const query = new URLSearchParams({ range, tz: timeZone });
  return get(session, `analytics/overview?${query.toString()}`, overviewShape, signal);
}
