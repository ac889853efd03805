// Instants as a clock on the creator's wall shows them: one zone for the whole page.
import { LOCALE } from "./numbers.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = timeZone + JSON.stringify(options);
  const known = formats.get(key);
  if (known) {
    return known;
  }
  const made = new Intl.DateTimeFormat(LOCALE, { timeZone, hourCycle: "h23", ...options });
  formats.set(key, made);
  return made;
}

const day = { day: "numeric", month: "short" } as const;
const clock = { hour: "2-digit", minute: "2-digit" } as const;

/** 21:05 today, else 22 Nov, 21:05. `now` in milliseconds since the Unix epoch. */
export function formatInstant(iso: string, timeZone: string, now: number): string {
  const date = new Date(iso);
  const days = formatOf(timeZone, { ...day, year: "numeric" });
  const today = days.format(date) === days.format(now);
  return formatOf(timeZone, today ? clock : { ...day, ...clock }).format(date);
}

/** 21:05:11 */
export function formatClock(iso: string, timeZone: string): string {
  return formatOf(timeZone, { ...clock, second: "2-digit" }).format(new Date(iso));
}

/** 16 Nov */
export function formatDay(iso: string, timeZone: string): string {
  return formatOf(timeZone, day).format(new Date(iso));
}

/** Africa/Lagos (GMT+1), the offset as it is at `now`. */
export function formatZone(timeZone: string, now: number): string {
  const parts = formatOf(timeZone, { timeZoneName: "shortOffset" }).formatToParts(now);
  const offset = parts.find(({ type }) => type === "timeZoneName")?.value;
  const place = timeZone.replaceAll("_", " ");
  return offset === undefined || offset === place ? place : `${place} (${offset})`;
}

/** How wide one step of a series is. */
export type Granularity = "hour" | "day" | "week" | "month";

/** A step's name under an axis: 18:00, 16 Nov or Nov 2026. */
export function formatStep(start: string, granularity: Granularity, timeZone: string): string {
  const options = { hour: clock, day, week: day, month: { month: "short", year: "2-digit" } as const }[granularity];
  return formatOf(timeZone, options).format(new Date(start));
}

/** A step's full name: Mon, 16 Nov, 18:00; week of 16 Nov; November 2026. */
export function formatStepInFull(start: string, granularity: Granularity, timeZone: string): string {
  const weekday = { weekday: "short", ...day } as const;
  const options = {
    hour: { ...weekday, ...clock },
    day: weekday,
    week: { ...day, year: "numeric" } as const,
    month: { month: "long", year: "numeric" } as const,
  }[granularity];
  const name = formatOf(timeZone, options).format(new Date(start));
  return granularity === "week" ? `Week of ${name}` : name;
}
