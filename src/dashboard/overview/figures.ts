// The figures of an overview: how each is taken from the totals and from a bucket, written, and explained when missing.
import { formatChange, formatCount, formatDuration, formatShare, formatShortCount } from "../format/numbers.ts";
import type { IconName } from "../page/icon.tsx";
import type { Bucket, Overview } from "../service/overview.ts";

/** One figure that can be drawn over time. */
export interface Figure {
  key: "views" | "watch-time" | "likes" | "shares" | "completions" | "subscribers";
  label: string;
  icon: IconName;
  total: (totals: Overview["totals"]) => number | null;
  write: (total: number) => string;
  /** A line beneath the total; null when there is nothing to add. */
  note: (totals: Overview["totals"]) => string | null;
  bucket: (bucket: Bucket) => number | null;
  /** Under the chart's axis: short. */
  writeShort: (value: number) => string;
  /** What one value of the chart's axis is worth: seconds are drawn as hours. */
  unit: number;
}

/** Null where there is nothing to divide by. */
function perView(part: number | null, views: number | null): string | null {
  return part === null || views === null || views === 0 ? null : `${formatShare(part / views)} of views`;
}

const plain = { write: formatCount, note: () => null, writeShort: formatShortCount, unit: 1 };

/** In the order of the page. */
export const figures: readonly Figure[] = [
  {
    ...plain,
    key: "views",
    label: "Views",
    icon: "views",
    total: (totals) => totals.views,
    bucket: (bucket) => bucket.views,
  },
  {
    ...plain,
    key: "watch-time",
    label: "Watch time",
    icon: "watch-time",
    total: (totals) => totals.watchTimeSeconds,
    write: formatDuration,
    note: ({ averageWatchSeconds: average }) => (average === null ? null : `${formatDuration(average)} a view`),
    bucket: (bucket) => bucket.watchTimeSeconds,
    writeShort: (value) => `${formatShortCount(value)} h`,
    unit: 3_600,
  },
  {
    ...plain,
    key: "subscribers",
    label: "Subscribers",
    icon: "subscribers",
    total: (totals) => totals.subscribers.net,
    write: formatChange,
    note: ({ subscribers: { gained, lost, count } }) =>
      gained === null || lost === null
        ? null
        : `${formatCount(gained)} came, ${formatCount(lost)} left${count === null ? "" : `; ${formatCount(count)} in all`}`,
    bucket: ({ subscribersGained: gained, subscribersLost: lost }) =>
      gained === null || lost === null ? null : gained - lost,
  },
  {
    ...plain,
    key: "completions",
    label: "Completions",
    icon: "completions",
    total: (totals) => totals.completions,
    note: ({ completionRate: rate }) => (rate === null ? null : `${formatShare(rate)} of views`),
    bucket: (bucket) => bucket.completions,
  },
  {
    ...plain,
    key: "likes",
    label: "Likes",
    icon: "likes",
    total: (totals) => totals.likes,
    note: (totals) => perView(totals.likes, totals.views),
    bucket: (bucket) => bucket.likes,
  },
  {
    ...plain,
    key: "shares",
    label: "Shares",
    icon: "shares",
    total: (totals) => totals.shares,
    note: (totals) => perView(totals.shares, totals.views),
    bucket: (bucket) => bucket.shares,
  },
];
