// Engagement as answers say it: totals, rates and series.
import type { TimeRange } from "../../contract/time-range.ts";
import { formatInstant } from "../../contract/time-zone.ts";
import type { Engagement, EngagementBucket } from "../../store/clickhouse/engagement-series.ts";
import type { Progress } from "../../store/clickhouse/ingest-progress.ts";
import { fillBuckets } from "./progress-of.ts";

const none: Engagement = { views: 0, watchTimeSeconds: 0, likes: 0, shares: 0, completions: 0 };
const unknown = { views: null, watchTimeSeconds: null, likes: null, shares: null, completions: null };

/** The series of a range, one entry for each bucket. */
export function seriesAnswer(range: TimeRange, rows: readonly EngagementBucket[], progress: Progress | undefined) {
  return fillBuckets(range.buckets, rows, progress, none).map(({ bucket, complete, row }) => ({
    start: formatInstant(bucket.startMs, range.timeZone),
    complete,
    ...engagementOf(row),
  }));
}

function engagementOf(row: Engagement | null): Engagement | typeof unknown {
  if (row === null) {
    return unknown;
  }
  const { views, watchTimeSeconds, likes, shares, completions } = row;
  return { views, watchTimeSeconds, likes, shares, completions };
}

/** The totals of a range: of all that is known; null when nothing is. */
export function totalsAnswer(range: TimeRange, rows: readonly EngagementBucket[], progress: Progress | undefined) {
  const known = fillBuckets(range.buckets, rows, progress, none).flatMap(({ row }) => (row === null ? [] : [row]));
  if (known.length === 0) {
    return { ...unknown, averageWatchSeconds: null, completionRate: null };
  }
  const sum = (of: (row: Engagement) => number) => known.reduce((total, row) => total + of(row), 0);
  const totals = {
    views: sum(({ views }) => views),
    watchTimeSeconds: sum(({ watchTimeSeconds }) => watchTimeSeconds),
    likes: sum(({ likes }) => likes),
    shares: sum(({ shares }) => shares),
    completions: sum(({ completions }) => completions),
  };
  return {
    ...totals,
    averageWatchSeconds: totals.views === 0 ? null : roundTo(1, totals.watchTimeSeconds / totals.views),
    completionRate: completionRate(totals),
  };
}

/**
 * Completions by views, to four digits; null without views. A view can be completed in a later hour than it began, so a
 * short range may hold more completions than views: such a rate is 1.
 */
export function completionRate({ views, completions }: { views: number; completions: number }): number | null {
  return views === 0 ? null : roundTo(4, Math.min(1, completions / views));
}

/** Rounds to so many digits after the point. */
export function roundTo(digits: number, value: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
