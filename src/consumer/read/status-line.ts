// What the log says of one reader every minute: the numbers of its status, flat, and nothing from a record.
import type { LogFields } from "../../runtime/log.ts";
import type { ReaderStatus } from "./reader-status.ts";

/** Dead letters by reason, kept and merely counted. */
export type DeadLetterCounts = Record<string, { readonly kept: number; readonly unkept: number }>;

/** The fields of a reader's line. */
export function statusLine(status: ReaderStatus, deadLetters: DeadLetterCounts): LogFields {
  const { health, fold, parked } = status;
  const skipped = Object.values(fold?.skippedTypes ?? {});
  const byReason = Object.entries(deadLetters).map(
    ([reason, { kept, unkept }]) => [`deadLetters.${reason}`, kept + unkept] as const,
  );
  return {
    state: health.state,
    reason: health.reason,
    lagRecords: health.lagRecords,
    lagSeconds: health.lagSeconds,
    lastFetchMs: status.lastFetchMs,
    lastPublishMs: status.lastPublishMs,
    deadLetters: byReason.reduce((sum, [, count]) => sum + count, 0),
    ...Object.fromEntries(byReason),
    skippedTypes: skipped.length,
    skippedRecords: skipped.reduce((sum, count) => sum + count, 0),
    duplicates: fold?.duplicates ?? null,
    overlap: status.overlap,
    sharesWaiting: fold?.sharesWaiting ?? null,
    sharesGivenUp: fold?.sharesGivenUp ?? null,
    parkedEvents: parked?.events ?? null,
  };
}
