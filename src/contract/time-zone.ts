// Civil time in IANA zones: what the clock on a wall there shows, and when a day begins there. Pure; by Intl, since
// workerd has no Temporal. Instants are milliseconds since the Unix epoch; a day is a count of days since 1970-01-01.

/** Milliseconds in an hour. */
export const HOUR_MS = 3_600_000;
/** Milliseconds in a day of UTC; a civil day may last 23 to 25 hours. */
export const DAY_MS = 86_400_000;

/** Names as the IANA database writes them: Intl also takes offsets such as `+01:00`, which are no zones. */
const zoneName = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/;

/** Making a formatter costs about 50 µs and a kilobyte; the bound (ours) holds every zone in use, spelling variants too. */
const MAX_FORMATTERS = 1_000;
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) {
    return known;
  }
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  if (formatters.size >= MAX_FORMATTERS) {
    formatters.clear();
  }
  formatters.set(timeZone, made);
  return made;
}

/** Whether `name` is a zone of the IANA database that this runtime knows. */
export function isTimeZone(name: string): boolean {
  if (!zoneName.test(name)) {
    return false;
  }
  try {
    return formatterOf(name).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** What a wall clock in the zone shows at an instant, read as if it were UTC. */
function wallClockMs(timeZone: string, instantMs: number): number {
  const fields = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of formatterOf(timeZone).formatToParts(instantMs)) {
    if (type in fields) {
      // `in` has just shown that the key is one of the fields.
      fields[type as keyof typeof fields] = Number(value);
    }
  }
  return Date.UTC(fields.year, fields.month - 1, fields.day, fields.hour, fields.minute, fields.second);
}

/** How far the zone is ahead of UTC at an instant, in milliseconds. */
export function offsetMs(timeZone: string, instantMs: number): number {
  const wholeSecond = Math.floor(instantMs / 1_000) * 1_000;
  return wallClockMs(timeZone, wholeSecond) - wholeSecond;
}

/** The civil day that an instant falls on in the zone. */
export function dayAt(timeZone: string, instantMs: number): number {
  return Math.floor(wallClockMs(timeZone, instantMs) / DAY_MS);
}

/**
 * The first instant of a civil day in the zone. Where midnight happens twice it is the earlier one; where it is skipped
 * it is the first instant after the gap, and a day that a zone skipped as a whole begins when the next one does.
 */
export function startOfDay(timeZone: string, day: number): number {
  const midnight = day * DAY_MS;
  const before = offsetMs(timeZone, midnight - DAY_MS);
  const after = offsetMs(timeZone, midnight + DAY_MS);
  const candidates = [midnight - before, midnight - after].filter(
    (instant) => wallClockMs(timeZone, instant) === midnight,
  );
  if (candidates.length > 0) {
    return Math.min(...candidates);
  }
  return transitionBetween(timeZone, midnight - DAY_MS, midnight + DAY_MS);
}

/** The instant at which the offset changes; zones change at most once in two days. */
function transitionBetween(timeZone: string, fromMs: number, untilMs: number): number {
  const before = offsetMs(timeZone, fromMs);
  let early = fromMs;
  let late = untilMs;
  while (late - early > 1_000) {
    const middle = Math.floor((early + late) / 2_000) * 1_000;
    if (offsetMs(timeZone, middle) === before) {
      early = middle;
    } else {
      late = middle;
    }
  }
  return late;
}

/** An instant in ISO 8601 with the zone's own offset, such as `2026-11-16T00:00:00+01:00`. Whole seconds. */
export function formatInstant(instantMs: number, timeZone: string): string {
  const offset = offsetMs(timeZone, instantMs);
  const minutes = Math.abs(offset) / 60_000;
  const sign = offset < 0 ? "-" : "+";
  const local = new Date(instantMs + offset).toISOString().slice(0, 19);
  return `${local}${sign}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(Math.floor(minutes % 60))}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** A civil day as `YYYY-MM-DD`. */
export function formatDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The civil day of a valid `YYYY-MM-DD`. */
export function parseDay(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}
