// One live stream of an item: from its first live beat until none has come for two minutes.
import type { ContentId, CreatorId } from "../../contract/ids.ts";
import type { StreamShare } from "../../contract/live-rpc.ts";
import type { UniqueSessions } from "./unique-sessions.ts";

/** A stream has ended when no live beat arrived for this long. */
export const STREAM_QUIET_MS = 120_000;
/** The most minutes a share carries (48 hours); of a longer stream the last ones are kept. */
const MAX_STREAM_MINUTES = 2_880;
const MINUTE_MS = 60_000;

/** What is known of an item at an instant: a stream's numbers are differences of these. */
export interface ItemCounts {
  readonly views: number;
  readonly watchSeconds: number;
  readonly likes: number;
  readonly shares: number;
}

/** A finished stream's numbers, without who reports them. */
export type StreamResult = Omit<StreamShare, "v" | "source" | "epoch" | "creatorId" | "contentId"> & {
  readonly creatorId: CreatorId;
  readonly contentId: ContentId;
  /** The epoch of the state it was counted in; absent in that state itself, which knows no epochs. */
  readonly epoch?: number;
};

/** An open stream. Instants are log time in ms. */
export class Stream {
  readonly startedAt: number;
  lastBeatAt: number;
  readonly before: ItemCounts;
  peak = 0;
  peakAt = 0;
  /** The most viewers of each minute, from the minute `firstMinute` since the epoch. */
  firstMinute: number;
  perMinute: number[];
  /** Null when there are too many streams to sketch: its views stand in. */
  readonly uniques: UniqueSessions | null;

  constructor(startedAt: number, before: ItemCounts, uniques: UniqueSessions | null) {
    this.startedAt = startedAt;
    this.lastBeatAt = startedAt;
    this.before = before;
    this.firstMinute = Math.floor(startedAt / MINUTE_MS);
    this.perMinute = [0];
    this.uniques = uniques;
  }

  isQuiet(time: number): boolean {
    return time - this.lastBeatAt >= STREAM_QUIET_MS;
  }

  /** Notes how many watch at an instant; within a minute the most count, also at its very beginning. */
  observe(viewers: number, time: number): void {
    if (viewers > this.peak) {
      this.peak = viewers;
      this.peakAt = time;
    }
    const at = Math.floor(time / MINUTE_MS) - this.firstMinute;
    while (this.perMinute.length <= at) {
      this.perMinute.push(0);
    }
    this.perMinute[at] = Math.max(this.perMinute[at] ?? 0, viewers);
    if (this.perMinute.length > MAX_STREAM_MINUTES) {
      this.perMinute.shift();
      this.firstMinute++;
    }
  }

  /** The stream's numbers after so many records, as if it had ended with its last live beat. */
  result(
    { creatorId, contentId }: Pick<StreamResult, "creatorId" | "contentId">,
    now: ItemCounts,
    approximate: boolean,
    recordsCounted: number,
  ): StreamResult {
    const minutes = Math.floor(this.lastBeatAt / MINUTE_MS) - this.firstMinute + 1;
    return {
      creatorId,
      contentId,
      startedAt: this.startedAt,
      endedAt: this.lastBeatAt,
      peakViewers: this.peak,
      peakAt: this.peak > 0 ? this.peakAt : null,
      viewersPerMinute: { firstMinute: this.firstMinute, counts: this.perMinute.slice(0, Math.max(0, minutes)) },
      uniqueSessions: this.uniques?.count() ?? now.views - this.before.views,
      watchSeconds: Math.max(0, now.watchSeconds - this.before.watchSeconds),
      likes: now.likes - this.before.likes,
      shares: Math.max(0, now.shares - this.before.shares),
      approximate: approximate || (this.uniques?.isApproximate ?? true),
      recordsCounted,
    };
  }
}
