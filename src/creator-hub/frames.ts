// The texts of one hub's frames: epoch, sequence and the snapshot, each stringified once however many sockets it is for.
import {
  LIVE_PROTOCOL,
  LIVE_WINDOW_SECONDS,
  PING_INTERVAL_SECONDS,
  RECEIPT_EVERY_CHARACTERS,
  type Alert,
  type LiveContent,
  type LiveTotals,
  type ServerFrame,
} from "../contract/live-frames.ts";
import type { RevenueVersion, Subscribers } from "./hub-storage.ts";
import type { Trust } from "./live-numbers.ts";

/** The parts of a snapshot that stay the same from one socket to the next. */
export interface SnapshotBody {
  totals: LiveTotals;
  content: LiveContent[];
  subscribers: Pick<Subscribers, "count" | "asOf">;
  revenue: RevenueVersion;
}

/** A frame as the hub's parts make it, without epoch, sequence and time. */
export type FrameBody = WithoutHead<Exclude<ServerFrame, { type: "welcome" | "snapshot" }>>;
type WithoutHead<Frame> = Frame extends unknown ? Omit<Frame, "epoch" | "seq" | "at"> : never;

/** Writes the frames of one hub. */
export class FrameWriter {
  #epoch = "";
  #seq = 0;
  #snapshotBody: string | null = null;

  /** Begins a new epoch: the next frame must be a snapshot. */
  beginEpoch(epoch: string): void {
    this.#epoch = epoch;
    this.#seq = 0;
    this.#snapshotBody = null;
  }

  /** Says that the next snapshot differs from the last one. */
  outdateSnapshot(): void {
    this.#snapshotBody = null;
  }

  /** Says that the next snapshot is news for sockets that have had one in this epoch already. */
  advance(): void {
    this.#seq += 1;
  }

  welcome(connectionId: string, nowMs: number): string {
    return JSON.stringify({
      type: "welcome",
      protocol: LIVE_PROTOCOL,
      connectionId,
      epoch: this.#epoch,
      serverTime: instant(nowMs),
      pingIntervalSeconds: PING_INTERVAL_SECONDS,
      liveWindowSeconds: LIVE_WINDOW_SECONDS,
      receiptEveryCharacters: RECEIPT_EVERY_CHARACTERS,
    } satisfies ServerFrame);
  }

  /**
   * The state as of the last frame sent, so that what follows applies to it.
   * @param body called only when something has changed since the last snapshot
   */
  snapshot(nowMs: number, trust: Trust, alerts: readonly Alert[], body: () => SnapshotBody): string {
    this.#seq = Math.max(this.#seq, 1);
    const head = {
      type: "snapshot",
      epoch: this.#epoch,
      seq: this.#seq,
      at: instant(nowMs),
      state: trust.state,
      reason: trust.reason,
      asOf: instantOrNull(trust.asOf),
      alerts,
    };
    this.#snapshotBody ??= JSON.stringify(body());
    // Two objects joined at their braces: the long one is stringified once for any number of sockets.
    return `${JSON.stringify(head).slice(0, -1)},${this.#snapshotBody.slice(1)}`;
  }

  /** Any other frame, with the next sequence number. */
  frame(nowMs: number, body: FrameBody): string {
    const { type, ...rest } = body;
    this.#seq += 1;
    return JSON.stringify({ type, epoch: this.#epoch, seq: this.#seq, at: instant(nowMs), ...rest });
  }
}

/** An instant as frames carry it. */
export function instant(ms: number): string {
  return new Date(ms).toISOString();
}

/** An instant as frames carry it, where it may be unknown. */
export function instantOrNull(ms: number | null): string | null {
  return ms === null ? null : instant(ms);
}
