// How far the metrics pipeline is, by its own word.
import { z } from "zod";
import type { Analytics } from "./analytics.ts";
import { instantColumn, signedCountColumn } from "./column-values.ts";

/** The tables whose filling the pipeline speaks of. */
export type IngestSource = "content_metrics" | "subscriber_metrics" | "audience";

/** Everything before `completeThroughMs` has arrived, said at `asOfMs`. Milliseconds since the Unix epoch. */
export interface Progress {
  completeThroughMs: number;
  asOfMs: number;
}

const progressRow = z.object({
  source: z.string(),
  complete_through: instantColumn,
  updated_at_ms: signedCountColumn,
});

/**
 * The progress of each source; one that has never been heard of is absent. Ask it before the data that it is said of: data
 * can only be further.
 * @throws StoreUnavailable
 */
export async function readProgress(analytics: Analytics): Promise<Map<string, Progress>> {
  const rows = await analytics.ask({
    operation: "ingest progress",
    creatorId: null,
    sql: `SELECT source, toUnixTimestamp(max(complete_through)) AS complete_through,
            toUnixTimestamp64Milli(max(updated_at)) AS updated_at_ms
          FROM ingest_progress
          GROUP BY source`,
    parameters: {},
    row: progressRow,
  });
  return new Map(
    rows.map((row) => [row.source, { completeThroughMs: row.complete_through, asOfMs: row.updated_at_ms }]),
  );
}
