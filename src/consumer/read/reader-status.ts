// What an administrator sees of one reader.
import type { Source } from "../../contract/ids.ts";
import type { ReaderHealth } from "../../contract/live-rpc.ts";

/** How one reader fares. Times are ms, instants ms since the epoch. */
export interface ReaderStatus {
  readonly source: Source;
  readonly epoch: number | null;
  readonly topicId: string | null;
  readonly offset: number | null;
  readonly health: ReaderHealth;
  readonly lastFetchMs: number | null;
  readonly lastPublishMs: number | null;
  readonly calls: { readonly bridge: number; readonly hubs: number; readonly watchList: number };
  readonly watchers: number;
  readonly recordsSinceStart: number;
  readonly checkpoint: { readonly offset: number; readonly savedAt: number; readonly bytes: number } | null;
  /** Of an engagement reader: what its state holds, and what became of the records since the state was built. */
  readonly fold: {
    readonly logTime: number;
    readonly items: number;
    readonly sessions: number;
    readonly viewers: number;
    readonly openStreams: number;
    readonly sharesWaiting: number;
    /** Shares given up for want of room, since the reader started. */
    readonly sharesGivenUp: number;
    readonly records: number;
    readonly accepted: number;
    readonly duplicates: number;
    readonly rejected: number;
    readonly skippedTypes: Record<string, number>;
  } | null;
  /** Of a reader of a rare topic: events that wait because their creators' hubs fail. */
  readonly parked: { readonly creators: number; readonly events: number } | null;
  /** Of a reader of a rare topic: records that their creators' hubs had already, since the reader started. */
  readonly overlap: number | null;
}
