// Counts, shares and lengths of time as people read them, in the English of Nigeria.

/** The locale of every number and date on the page. */
export const LOCALE = "en-NG";

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 });
const signed = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0, signDisplay: "exceptZero" });
const percent = new Intl.NumberFormat(LOCALE, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** 120,345 */
export const formatCount = (count: number): string => whole.format(count);

/** 1 like, 120,345 likes: English nouns that only take an s. */
export const formatCounted = (count: number, one: string): string =>
  `${formatCount(count)} ${Math.abs(count) === 1 ? one : `${one}s`}`;

/** 120.3K, for axes and tight places. */
export const formatShortCount = (count: number): string => short.format(count);

/** +717 */
export const formatChange = (count: number): string => signed.format(count);

/** 43.1% */
export const formatShare = (share: number): string => percent.format(share);

/** 2,256 h, or 12 h 5 min, or 5 min 7 s, or 7 s: two units at most, since more are noise. */
export function formatDuration(seconds: number): string {
  const total = Math.round(seconds);
  const hours = Math.floor(total / 3_600);
  const minutes = Math.floor((total % 3_600) / 60);
  const rest = total % 60;
  if (hours >= 100) {
    return `${formatCount(hours)} h`;
  }
  if (hours > 0) {
    return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  }
  if (minutes > 0) {
    return rest > 0 ? `${minutes} min ${rest} s` : `${minutes} min`;
  }
  return `${rest} s`;
}
