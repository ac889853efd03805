// Subscribers over time: how many came, how many left, how many there were.
import { z } from "zod";
import type { CreatorId } from "../../contract/ids.ts";
import type { TimeRange } from "../../contract/time-range.ts";
import type { Analytics } from "./analytics.ts";
import { countColumn, instantColumn } from "./column-values.ts";
import { rangeParameters } from "./engagement-series.ts";

/** A bucket's sums, and the owner's count after its last change; null where no change in it said one. */
export interface SubscriberBucket {
  startMs: number;
  gained: number;
  lost: number;
  count: number | null;
}

/** Subscribers of a range. A bucket without changes has no row. */
export interface SubscriberSeries {
  buckets: SubscriberBucket[];
  /** The last count before the range; null when none was said within `COUNT_LOOK_BACK_DAYS`. */
  countBefore: number | null;
}

/** How far before a range its first count is looked for (ours): nobody's count stands still for longer than that. */
const COUNT_LOOK_BACK_DAYS = 400;

const bucketRow = z
  .object({ bucket: instantColumn, gained: countColumn, lost: countColumn, last_count: countColumn.nullable() })
  .transform(({ bucket: startMs, last_count: count, ...rest }) => ({ startMs, count, ...rest }));

/**
 * The range is on full hours.
 * @throws StoreUnavailable
 */
export async function readSubscribers(
  analytics: Analytics,
  creatorId: CreatorId,
  range: TimeRange,
): Promise<SubscriberSeries> {
  const { start, end, starts } = rangeParameters(range);
  const rows = await analytics.ask({
    operation: "subscriber series",
    creatorId,
    // What came before the range is the bucket 0. FINAL: of several counts in one hour the last one written holds.
    sql: `SELECT roundDown(toUnixTimestamp(period), {starts:Array(UInt32)}) AS bucket,
            sum(changes.gained) AS gained, sum(changes.lost) AS lost,
            argMaxIf(changes.count, period, isNotNull(changes.count)) AS last_count
          FROM subscriber_metrics AS changes FINAL
          WHERE creator_id = {creator_id:String}
            AND period >= toDateTime({look_back:UInt32}, 'UTC') AND period < toDateTime({end:UInt32}, 'UTC')
          GROUP BY bucket`,
    parameters: { starts: [0, ...starts], end, look_back: start - COUNT_LOOK_BACK_DAYS * 86_400 },
    row: bucketRow,
  });
  return {
    buckets: rows.filter(({ startMs }) => startMs > 0),
    countBefore: rows.find(({ startMs }) => startMs === 0)?.count ?? null,
  };
}
