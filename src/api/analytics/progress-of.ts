// What an answer says about its own freshness, and how unknown differs from zero.
import { isComplete, type TimeBucket } from "../../contract/time-range.ts";
import type { Progress } from "../../store/clickhouse/ingest-progress.ts";

/** `asOf` and `completeThrough` as an answer says them; null when the pipeline has never said anything. */
export function freshnessOf(progress: Progress | undefined): { asOf: string | null; completeThrough: string | null } {
  return {
    asOf: progress === undefined ? null : sayInstant(progress.asOfMs),
    completeThrough: progress === undefined ? null : sayInstant(progress.completeThroughMs),
  };
}

/** Whole seconds, UTC. */
function sayInstant(instantMs: number): string {
  return `${new Date(instantMs).toISOString().slice(0, 19)}Z`;
}

/** A bucket with what is known of it. */
export interface KnownBucket<Row> {
  bucket: TimeBucket;
  complete: boolean;
  /** The row; `nothing` where none came although its time had; null where its time has not come. */
  row: Row | null;
}

/** Puts the rows of a source into all buckets of a range, without making up zeros for what has not arrived. */
export function fillBuckets<Row extends { startMs: number }>(
  buckets: readonly TimeBucket[],
  rows: readonly Row[],
  progress: Progress | undefined,
  nothing: Omit<Row, "startMs">,
): KnownBucket<Omit<Row, "startMs">>[] {
  const byStart = new Map(rows.map((row) => [row.startMs, row]));
  const completeThroughMs = progress?.completeThroughMs ?? null;
  return buckets.map((bucket) => {
    const hasBegun = completeThroughMs !== null && bucket.startMs < completeThroughMs;
    return {
      bucket,
      complete: isComplete(bucket, completeThroughMs),
      row: byStart.get(bucket.startMs) ?? (hasBegun ? nothing : null),
    };
  });
}
