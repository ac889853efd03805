// Instants of events, read by hand: `Date.parse` behind zod's pattern costs more than the whole fold of an event.

const ZERO = 48;
const MS_PER_DAY = 86_400_000;
const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The number that two digits at `at` write, or NaN. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

/** Days from 1970-01-01 to the first of January of a year of the proleptic Gregorian calendar, 0 to 9999. */
function daysBeforeYear(year: number): number {
  const before = year - 1;
  return 365 * (year - 1970) + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 477;
}

/** Milliseconds since midnight of `hh:mm:ss` at 11, or NaN. */
function timeOfDay(text: string): number {
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  return text[13] === ":" && text[16] === ":" && hour <= 23 && minute <= 59 && second <= 59
    ? hour * 3_600_000 + minute * 60_000 + second * 1_000
    : NaN;
}

/** Milliseconds since the epoch of `yyyy-mm-dd` at 0, or NaN for a day that does not exist. */
function dateOnly(text: string): number {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (text[4] !== "-" || text[7] !== "-" || !(month >= 1 && month <= 12) || !(day >= 1)) {
    return NaN;
  }
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const lengthOfMonth = (daysInMonth[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0);
  if (!(day <= lengthOfMonth)) {
    return NaN;
  }
  const dayOfYear = (daysBeforeMonth[month - 1] ?? 0) + (leap && month > 2 ? 1 : 0) + day - 1;
  return (daysBeforeYear(year) + dayOfYear) * MS_PER_DAY;
}

/** Minutes east of UTC that `Z` or `±hh:mm` at `at`, the end of the text, says; NaN otherwise. */
function zoneMinutes(text: string, at: number): number {
  const sign = text[at];
  if (sign === "Z") {
    return text.length === at + 1 ? 0 : NaN;
  }
  const hour = twoDigits(text, at + 1);
  const minute = twoDigits(text, at + 4);
  const fits = text.length === at + 6 && text[at + 3] === ":" && hour <= 23 && minute <= 59;
  if (!fits || (sign !== "+" && sign !== "-")) {
    return NaN;
  }
  return sign === "+" ? hour * 60 + minute : -(hour * 60 + minute);
}

/**
 * Reads an ISO 8601 instant with seconds and `Z` or an offset: exactly what `z.iso.datetime({ offset: true })` accepts.
 * @returns milliseconds since the Unix epoch, fractions of a millisecond cut off; NaN for anything else
 */
export function parseIsoInstant(text: string): number {
  if (text[10] !== "T") {
    return NaN;
  }
  let at = 19;
  let milliseconds = 0;
  if (text[at] === ".") {
    let scale = 100;
    let digit = text.charCodeAt(++at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) {
      return NaN;
    }
    for (; digit >= 0 && digit <= 9; digit = text.charCodeAt(++at) - ZERO) {
      milliseconds += Math.floor(digit * scale);
      scale /= 10;
    }
  }
  return dateOnly(text) + timeOfDay(text) + milliseconds - zoneMinutes(text, at) * 60_000;
}
