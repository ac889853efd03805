// One viewing session as a player reports it: started, a beat every 15 s, now and then a like or a share, ended.
import type { EngagementType } from "../../contract/events.ts";
import type { Viewer } from "./audience.ts";
import type { Random } from "./random.ts";

/** Players report every 15 s: the event contract's own interval. */
export const BEAT_MS = 15_000;

/** How often viewers do more than watch: ours, near what the seed's history shows. */
const LIKE_CHANCE = 0.1;
const UNLIKE_CHANCE = 0.04;
const SHARE_CHANCE = 0.015;

/** What is being watched. */
export interface Showing {
  readonly creatorId: string;
  readonly contentId: string;
  readonly isLive: boolean;
  /** When a stream ends for everyone; null for a video. */
  readonly endsAt: number | null;
}

/** Something that a session does at an instant. */
export interface SessionAct {
  readonly at: number;
  readonly type: EngagementType;
  readonly session: ViewingSession;
  /** Whole seconds watched since the last beat; on beats and at the end. */
  readonly watchSeconds?: number;
}

/** A session with its future drawn at its start, so that it depends on the seed alone. */
export class ViewingSession {
  readonly sessionId: string;
  readonly viewer: Viewer;
  readonly showing: Showing;
  readonly #endsAt: number;
  readonly #completes: boolean;
  readonly #extras: { at: number; type: EngagementType }[] = [];
  #reportedUntil: number;
  #started = false;
  #ended = false;

  /**
   * @param startsAt ms since the Unix epoch
   * @param watchesMs how long this viewer stays unless the stream ends first
   * @param lengthMs of the video; staying that long completes it. For a stream, staying until its end does
   */
  constructor(
    random: Random,
    plan: {
      sessionId: string;
      viewer: Viewer;
      showing: Showing;
      startsAt: number;
      watchesMs: number;
      lengthMs: number;
    },
  ) {
    const { showing, startsAt } = plan;
    this.sessionId = plan.sessionId;
    this.viewer = plan.viewer;
    this.showing = showing;
    this.#reportedUntil = startsAt;
    const lastsUntil = showing.endsAt ?? startsAt + plan.lengthMs;
    this.#endsAt = Math.max(startsAt, Math.min(startsAt + plan.watchesMs, lastsUntil));
    this.#completes = this.#endsAt === lastsUntil;
    const during = () => startsAt + Math.floor(random.next() * (this.#endsAt - startsAt));
    if (random.chance(LIKE_CHANCE)) {
      const likedAt = during();
      this.#extras.push({ at: likedAt, type: "like.added" });
      if (random.chance(UNLIKE_CHANCE)) {
        this.#extras.push({ at: Math.min(likedAt + 4_000, this.#endsAt), type: "like.removed" });
      }
    }
    if (random.chance(SHARE_CHANCE)) {
      this.#extras.push({ at: during(), type: "share.created" });
    }
  }

  /** True once it has said that it ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What the session does up to and including `until`, each act once, in order. */
  actsUntil(until: number): SessionAct[] {
    const acts: SessionAct[] = [];
    if (this.#ended) {
      return acts;
    }
    if (!this.#started) {
      if (this.#reportedUntil > until) {
        return acts;
      }
      this.#started = true;
      acts.push({ at: this.#reportedUntil, type: "view.started", session: this });
    }
    while (this.#reportedUntil + BEAT_MS <= until && this.#reportedUntil + BEAT_MS < this.#endsAt) {
      this.#reportedUntil += BEAT_MS;
      acts.push({ at: this.#reportedUntil, type: "view.heartbeat", session: this, watchSeconds: BEAT_MS / 1000 });
    }
    for (let i = this.#extras.length - 1; i >= 0; i--) {
      const extra = this.#extras[i];
      if (extra && extra.at <= until) {
        this.#extras.splice(i, 1);
        acts.push({ at: extra.at, type: extra.type, session: this });
      }
    }
    if (this.#endsAt <= until) {
      if (this.#completes) {
        acts.push({ at: this.#endsAt, type: "view.completed", session: this });
      }
      acts.push(this.#end(this.#endsAt));
    }
    return acts;
  }

  /** Ends the session now, as a viewer who closes the page; null when it never began or is over. */
  leave(at: number): SessionAct | null {
    return this.#started && !this.#ended ? this.#end(Math.max(at, this.#reportedUntil)) : null;
  }

  #end(at: number): SessionAct {
    this.#ended = true;
    const watchSeconds = Math.min(60, Math.floor((at - this.#reportedUntil) / 1000));
    return { at, type: "view.ended", session: this, watchSeconds };
  }
}
