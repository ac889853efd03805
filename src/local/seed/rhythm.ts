// How busy an hour is, and how a mean becomes a whole number by chance: in whole numbers only, once in JavaScript and once
// as ClickHouse expressions, which must stay the same.
import { HISTORY_HOURS } from "./catalogue.ts";
import { join32, join32Sql } from "./deterministic-hash.ts";

/** Percent of the mean, by hour of the day in Lagos: a quiet night, a lunch break, the evening. */
const HOUR_WEIGHTS = [
  46, 30, 22, 18, 18, 26, 48, 72, 86, 92, 96, 104, 122, 124, 112, 106, 110, 124, 148, 174, 196, 206, 176, 144,
] as const;
/** Percent of the mean, by days since Thursday 1970-01-01: the weekend is strongest. */
const DAY_WEIGHTS = [92, 104, 128, 134, 84, 78, 80] as const;
/** Africa/Lagos is an hour ahead of UTC all year. */
const LAGOS_HOURS = 1;

/** Whole division of whole numbers of at least 0, as ClickHouse's intDiv. */
export const div = (value: number, by: number) => Math.floor(value / by);

/**
 * A mean in thousandths, scaled to an hour (since the Unix epoch): by the hour of the day, the day of the week, and
 * growth from 60 to 100 percent over the history that ends at `nowHour`.
 */
export function scaledToHour(meanMilli: number, hour: number, nowHour: number): number {
  const local = hour + LAGOS_HOURS;
  const hourWeight = HOUR_WEIGHTS[local % 24] ?? 0;
  const dayWeight = DAY_WEIGHTS[div(local, 24) % 7] ?? 0;
  const growth = 600 + div(400 * (hour - (nowHour - HISTORY_HOURS)), HISTORY_HOURS);
  return div(div(meanMilli * hourWeight * dayWeight, 10_000) * growth, 1_000);
}

/** Four numbers below 65,536 that belong to a number and an hour. */
export function drawsOf(no: number, hour: number): [a: number, b: number, c: number, d: number] {
  const first = join32(no, hour);
  const second = join32(first, 1);
  return [first % 65_536, div(first, 65_536), second % 65_536, div(second, 65_536)];
}

/** A count around a mean in thousandths: 60 to 140 percent of it by `noise`, rounded up or down by `rounding`. */
export function countAround(meanMilli: number, noise: number, rounding: number): number {
  const noisyMilli = div(meanMilli * (39_322 + div(noise * 52_428, 65_536)), 65_536);
  return div(noisyMilli * 65_536 + rounding * 1_000, 65_536_000);
}

/** `scaledToHour` of a column of whole numbers, from the column `hour` and the parameter `now_hour`. */
export function scaledToHourSql(meanMilli: string): string {
  const local = `(hour + ${LAGOS_HOURS})`;
  const hourWeight = `[${HOUR_WEIGHTS.join(", ")}][${local} % 24 + 1]`;
  const dayWeight = `[${DAY_WEIGHTS.join(", ")}][intDiv(${local}, 24) % 7 + 1]`;
  const growth = `(600 + intDiv(400 * (hour - ({now_hour:UInt64} - ${HISTORY_HOURS})), ${HISTORY_HOURS}))`;
  return `intDiv(intDiv(${meanMilli} * ${hourWeight} * ${dayWeight}, 10000) * ${growth}, 1000)`;
}

/** `drawsOf` as aliases `a`, `b`, `c`, `d` for a WITH clause, from the columns `no` and `hour`. */
export const drawsSql = [
  join32Sql("first", "no", "hour"),
  join32Sql("second", "first", "1"),
  "first % 65536 AS a",
  "intDiv(first, 65536) AS b",
  "second % 65536 AS c",
  "intDiv(second, 65536) AS d",
].join(",\n  ");

/** `countAround` of expressions. */
export function countAroundSql(meanMilli: string, noise: string, rounding: string): string {
  const noisyMilli = `intDiv(${meanMilli} * (39322 + intDiv(${noise} * 52428, 65536)), 65536)`;
  return `intDiv(${noisyMilli} * 65536 + ${rounding} * 1000, 65536000)`;
}
