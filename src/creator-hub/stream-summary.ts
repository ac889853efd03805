// What a finished stream did, from the shares of all sources that saw it. Sources see its beginning and end a little
// apart, so shares of one item that overlap, or follow each other within the end rule, are one stream.
import type { StreamSummary } from "../contract/live-frames.ts";
import type { StreamShare } from "../contract/live-rpc.ts";

/** A stream has ended when no live beat came for two minutes: two shares closer than that are one stream. */
const STREAM_GAP_MS = 120_000;
const MINUTE_MS = 60_000;

/** The shares of the item's last stream; empty when there was none. */
export function lastStreamShares(shares: readonly StreamShare[]): StreamShare[] {
  const ordered = shares.toSorted((a, b) => a.startedAt - b.startedAt);
  let stream: StreamShare[] = [];
  let endedAt = -Infinity;
  for (const share of ordered) {
    stream = share.startedAt < endedAt + STREAM_GAP_MS ? [...stream, share] : [share];
    endedAt = stream.length === 1 ? share.endedAt : Math.max(endedAt, share.endedAt);
  }
  return stream.filter(({ source, epoch }) => !stream.some((other) => other.source === source && other.epoch > epoch));
}

/**
 * Adds up the shares of one stream; throws on none.
 * @param subscribedBetween subscribers gained between two instants in ms since the Unix epoch
 */
export function summariseStream(
  shares: readonly StreamShare[],
  subscribedBetween: (fromMs: number, toMs: number) => number,
): StreamSummary {
  const [only] = shares;
  if (only === undefined) {
    throw new RangeError("a stream has at least one share");
  }
  const startedAt = Math.min(...shares.map((share) => share.startedAt));
  const endedAt = Math.max(...shares.map((share) => share.endedAt));
  const minutes = viewersByMinute(shares);
  const { peakViewers, peakAt } = shares.length === 1 ? only : peakOf(shares, minutes);
  const viewerMinutes = [...minutes.values()].reduce((total, viewers) => total + viewers, 0);
  return {
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    peakViewers,
    peakAt: peakAt === null ? null : new Date(peakAt).toISOString(),
    averageViewers: Math.round(viewerMinutes / Math.max(1, minutesBetween(minutes))),
    uniqueSessions: sum(shares, "uniqueSessions"),
    watchSeconds: sum(shares, "watchSeconds"),
    likes: sum(shares, "likes"),
    shares: sum(shares, "shares"),
    subscribersGained: subscribedBetween(startedAt, endedAt),
    approximate: shares.length > 1 || only.approximate,
  };
}

function viewersByMinute(shares: readonly StreamShare[]): Map<number, number> {
  const minutes = new Map<number, number>();
  for (const { viewersPerMinute } of shares) {
    for (const [index, viewers] of viewersPerMinute.counts.entries()) {
      const minute = viewersPerMinute.firstMinute + index;
      minutes.set(minute, (minutes.get(minute) ?? 0) + viewers);
    }
  }
  return minutes;
}

/** The greatest minute of the sum; a share's own peak, where that is greater, was reached for certain. */
function peakOf(
  shares: readonly StreamShare[],
  minutes: ReadonlyMap<number, number>,
): { peakViewers: number; peakAt: number | null } {
  let peak: { peakViewers: number; peakAt: number | null } = { peakViewers: 0, peakAt: null };
  for (const [minute, viewers] of minutes) {
    if (viewers > peak.peakViewers) {
      peak = { peakViewers: viewers, peakAt: minute * MINUTE_MS };
    }
  }
  for (const { peakViewers, peakAt } of shares) {
    if (peakViewers > peak.peakViewers) {
      peak = { peakViewers, peakAt };
    }
  }
  return peak;
}

function minutesBetween(minutes: ReadonlyMap<number, number>): number {
  let first = Infinity;
  let last = -Infinity;
  for (const minute of minutes.keys()) {
    first = Math.min(first, minute);
    last = Math.max(last, minute);
  }
  return last - first + 1;
}

function sum(shares: readonly StreamShare[], field: "uniqueSessions" | "watchSeconds" | "likes" | "shares"): number {
  return shares.reduce((total, share) => total + share[field], 0);
}
