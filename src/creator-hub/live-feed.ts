// What sockets are told of the live numbers, and when: a snapshot first, then only what changed, at once and then at
// most every 250 ms, and every change of trust.
import type { Clock } from "../runtime/clock.ts";
import type { Alert } from "../contract/live-frames.ts";
import type { Audience } from "./audience.ts";
import { SentState } from "./frame-diff.ts";
import { FrameWriter, instant, instantOrNull, type FrameBody, type SnapshotBody } from "./frames.ts";
import type { LiveNumbers, Trust } from "./live-numbers.ts";

/** A change goes out at once, then at most this often: four frames a second feel live and cost little. */
const FRAME_INTERVAL_MS = 250;
/** With more sockets than this a broadcast at four a second would fill the object's time (30 µs a socket, measured). */
const MANY_SOCKETS = 2_000;
const MANY_SOCKETS_INTERVAL_MS = 1_000;
/** After a wake-up sockets keep what they have until all sources have spoken again, but not longer than this. */
const WAKE_PATIENCE_MS = 2_000;

/** Short timers, which a lost object may forget. */
export interface Timers {
  after(ms: number, run: () => void): void;
}

/** What a feed tells besides the numbers themselves. */
export interface FeedSources {
  numbers: LiveNumbers;
  trust(nowMs: number): Trust;
  /** The parts of a snapshot that rare events decide. */
  standing(): Pick<SnapshotBody, "subscribers" | "revenue">;
  /** Alerts after the given one; the newest when it is null. */
  alerts(since: string | null): Alert[];
}

/** The frames of one hub. */
export class LiveFeed {
  readonly #audience: Audience;
  readonly #sources: FeedSources;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #frames = new FrameWriter();
  readonly #sent = new SentState();
  #sentTrust: Trust = { state: "unavailable", reason: "starting", asOf: null };
  #lastFrameAt = -Infinity;
  /** Changes held back until the interval has passed, by a short timer or by the hub's alarm. */
  #heldBack: { until: number; byAlarm: boolean } | null = null;
  /** When sockets that have outlived an eviction get their new snapshot at the latest; null when they have it. */
  #owedUntil: number | null = null;

  constructor(audience: Audience, sources: FeedSources, clock: Clock, timers: Timers) {
    this.#audience = audience;
    this.#sources = sources;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** The least time between two frames of numbers. */
  get intervalMs(): number {
    return this.#audience.size > MANY_SOCKETS ? MANY_SOCKETS_INTERVAL_MS : FRAME_INTERVAL_MS;
  }

  /** Begins a new epoch. Sockets that are there already are owed a snapshot. */
  beginEpoch(epoch: string): void {
    this.#frames.beginEpoch(epoch);
    this.#sent.clear();
    // The snapshot shows what was held back.
    this.#heldBack = null;
    this.#refresh(this.#clock.now());
    this.#owedUntil = this.#audience.size > 0 ? this.#clock.now() + WAKE_PATIENCE_MS : null;
  }

  /** Greets a new socket of the audience: `welcome`, then at once a `snapshot`. */
  greet(connectionId: string, since: string | null): void {
    const now = this.#clock.now();
    this.#audience.send(connectionId, this.#frames.welcome(connectionId, now));
    this.#audience.send(connectionId, this.#snapshot(now, since));
  }

  /** Says that a snapshot would show something else now, though no frame tells of it. */
  outdateSnapshot(): void {
    this.#frames.outdateSnapshot();
  }

  /** The numbers, or the trust in them, may have changed. */
  changed(): void {
    const now = this.#clock.now();
    if (this.#audience.size === 0) {
      return;
    }
    if (this.#owedUntil !== null) {
      if (this.#sources.numbers.complete || this.#owedUntil <= now) {
        this.#sendOwedSnapshot(now);
      }
      return;
    }
    const elapsed = now - this.#lastFrameAt;
    // A clock that was set back must not hold frames until it has caught up.
    const due = elapsed >= this.intervalMs || elapsed < 0;
    if (due || this.#trustDiffers(this.#sources.trust(now))) {
      this.#flush(now);
    } else {
      this.#heldBack ??= this.#holdBack(now, this.intervalMs - elapsed);
    }
  }

  /** Sends frames that are not about the numbers. */
  announce(frames: readonly FrameBody[]): void {
    const now = this.#clock.now();
    if (this.#audience.size > 0) {
      for (const frame of frames) {
        this.#broadcast(now, frame);
      }
    }
  }

  /** Sends the snapshot that is owed, if one is: whatever is announced then applies to it. */
  payOwed(): void {
    if (this.#owedUntil !== null && this.#audience.size > 0) {
      this.#sendOwedSnapshot(this.#clock.now());
    }
  }

  /** When `changed` has something to do though nothing changes; infinite when it has not. */
  nextDueAt(): number {
    const heldUntil = this.#heldBack?.byAlarm === true ? this.#heldBack.until : Infinity;
    return this.#audience.size === 0 ? Infinity : Math.min(this.#owedUntil ?? Infinity, heldUntil);
  }

  #holdBack(now: number, wait: number): { until: number; byAlarm: boolean } {
    // Short waits do not outlast a burst; longer ones are left to the alarm, so that the object may sleep.
    const heldBack = { until: now + wait, byAlarm: wait > FRAME_INTERVAL_MS };
    if (!heldBack.byAlarm) {
      this.#timers.after(wait, () => {
        // Whatever the clock says now, the wait is over; unless a change of trust has sent it all before.
        if (this.#heldBack === heldBack) {
          this.#flush(this.#clock.now());
        }
      });
    }
    return heldBack;
  }

  #flush(now: number): void {
    this.#heldBack = null;
    const view = this.#sources.numbers.view();
    const change = view === null ? null : this.#sent.update(view);
    if (view !== null && change !== null) {
      this.#lastFrameAt = now;
      this.#broadcast(now, { type: "metrics", asOf: instant(view.asOf ?? now), ...change });
    }
    const trust = this.#sources.trust(now);
    if (this.#trustDiffers(trust)) {
      this.#sentTrust = trust;
      this.#broadcast(now, {
        type: "status",
        state: trust.state,
        asOf: instantOrNull(trust.asOf),
        reason: trust.reason,
      });
    }
  }

  #trustDiffers({ state, reason }: Trust): boolean {
    return state !== this.#sentTrust.state || reason !== this.#sentTrust.reason;
  }

  #broadcast(now: number, frame: FrameBody): void {
    this.#frames.outdateSnapshot();
    this.#audience.broadcast(this.#frames.frame(now, frame));
  }

  #sendOwedSnapshot(now: number): void {
    this.#owedUntil = null;
    this.#lastFrameAt = now;
    this.#refresh(now);
    this.#frames.advance();
    this.#audience.broadcast(this.#snapshot(now, null));
  }

  /** Makes the present numbers and trust the state that snapshots show and changes are counted from. */
  #refresh(now: number): void {
    const view = this.#sources.numbers.view();
    if (view !== null) {
      this.#sent.update(view);
    }
    this.#sentTrust = this.#sources.trust(now);
    this.#frames.outdateSnapshot();
  }

  #snapshot(now: number, since: string | null): string {
    // While all is well the numbers hold until now, however long ago the last one changed.
    const trust = this.#sentTrust.state === "live" ? { ...this.#sentTrust, asOf: now } : this.#sentTrust;
    return this.#frames.snapshot(now, trust, this.#sources.alerts(since), () => ({
      ...this.#sent.snapshot(),
      ...this.#sources.standing(),
    }));
  }
}
