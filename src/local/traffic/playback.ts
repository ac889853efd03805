// The traffic as a function of seed and time: asked for the time up to an instant, it says every event that happened
// since it was last asked. No clock, no I/O.
import type { TopicKind } from "../../contract/events.ts";
import { drawViewer } from "./audience.ts";
import { occasionsBetween, type SubscriberCounts } from "./occasions.ts";
import { Random } from "./random.ts";
import type { PlayableCreator, Repertoire } from "./repertoire.ts";
import { fullness, Schedule } from "./schedule.ts";
import { type SessionAct, type Showing, ViewingSession } from "./session.ts";

/** A session lasts this long on average and makes about one event every 13 s: beats, start, end, likes. */
const MEAN_WATCH_MS = 240_000;
const SECONDS_PER_EVENT = 13;
/** How fast an audience grows to its wanted size. */
const FILL_MS = 30_000;
/** The part of the sessions that watch on demand, and how much of that the demo creator gets. */
const ON_DEMAND_SHARE = 0.4;
const DEMO_ON_DEMAND_SHARE = 0.25;
/** Sessions that a long silence (a suspended machine, a bridge that was down) has cut off are forgotten. */
export const LONGEST_SILENCE_MS = 60_000;

/** One event ready to be produced. */
export interface TrafficEvent {
  readonly kind: TopicKind;
  /** The record's key: the creator. */
  readonly key: string;
  /** ms since the Unix epoch. */
  readonly at: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/** What to play. */
export interface PlaybackOptions {
  readonly repertoire: Repertoire;
  readonly seed: number;
  /** ms since the Unix epoch; with the seed it makes every id, so that a later run repeats none. */
  readonly startAt: number;
  /** Events per second on average, once the audience has arrived. */
  readonly rate: number;
  readonly counts: SubscriberCounts;
}

/** Plays an audience. */
export class Playback {
  readonly #options: PlaybackOptions;
  readonly #random: Random;
  readonly #schedule: Schedule;
  readonly #runId: string;
  #sessions: ViewingSession[] = [];
  #now: number;
  #made = 0;

  constructor(options: PlaybackOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#schedule = new Schedule(options.repertoire, this.#random);
    this.#runId = `${options.seed.toString(36)}.${options.startAt.toString(36)}`;
    this.#now = options.startAt;
  }

  /** Sessions that are being watched. */
  get sessions(): number {
    return this.#sessions.length;
  }

  /** Every event after the last call up to `until`, in the order they happened. */
  advance(until: number): TrafficEvent[] {
    if (until <= this.#now) {
      return [];
    }
    if (until - this.#now > LONGEST_SILENCE_MS) {
      this.#sessions = [];
      this.#now = until;
      return [];
    }
    this.#arrive(this.#now, until);
    const acts = this.#sessions.flatMap((session) => session.actsUntil(until));
    this.#sessions = this.#sessions.filter((session) => !session.ended);
    const events = acts.map((act) => this.#engagement(act));
    const creators = [this.#options.repertoire.demo, ...this.#options.repertoire.others];
    const { counts, rate } = this.#options;
    const occasions = occasionsBetween(this.#random, { from: this.#now, until, creators, counts, rate });
    for (const { kind, at, key, fields } of occasions) {
      events.push({ kind, at, key, value: { eventId: this.#id("e"), ...fields } });
    }
    this.#now = until;
    return events.toSorted((a, b) => a.at - b.at);
  }

  /** Everyone leaves: the ends of all running sessions. */
  finish(at: number): TrafficEvent[] {
    const acts = this.#sessions.map((session) => session.leave(at)).filter((act) => act !== null);
    this.#sessions = [];
    return acts.map((act) => this.#engagement(act));
  }

  #arrive(from: number, until: number): void {
    const audience = this.#options.rate * SECONDS_PER_EVENT;
    for (const stream of this.#schedule.on(until)) {
      const showing = { ...stream, isLive: true };
      const watching = this.#sessions.filter(
        (session) => session.showing.isLive && session.showing.contentId === stream.contentId,
      );
      const wanted = audience * stream.share * fullness(stream, until);
      this.#begin(wanted, watching.length, from, until, () => ({ showing, lengthMs: 0 }));
    }
    const onDemand = this.#sessions.filter((session) => !session.showing.isLive);
    this.#begin(audience * ON_DEMAND_SHARE, onDemand.length, from, until, () => this.#chooseVideo());
  }

  /** Arrivals that keep about `wanted` sessions going: as many as leave (Little's law), and a part of those missing. */
  #begin(
    wanted: number,
    watching: number,
    from: number,
    until: number,
    choose: () => { showing: Showing; lengthMs: number },
  ): void {
    const perMs = wanted / MEAN_WATCH_MS + (wanted - watching) / FILL_MS;
    const arrivals = this.#random.poisson(Math.max(0, perMs * (until - from)));
    for (let i = 0; i < arrivals; i++) {
      const { showing, lengthMs } = choose();
      const session = new ViewingSession(this.#random, {
        sessionId: this.#id("s"),
        viewer: drawViewer(this.#random),
        showing,
        startsAt: from + Math.ceil(this.#random.next() * (until - from)),
        watchesMs: Math.round(this.#random.exponential(MEAN_WATCH_MS)),
        lengthMs,
      });
      this.#sessions.push(session);
    }
  }

  #chooseVideo(): { showing: Showing; lengthMs: number } {
    const { demo, others } = this.#options.repertoire;
    const isDemo = others.length === 0 || this.#random.chance(DEMO_ON_DEMAND_SHARE);
    const creator: PlayableCreator = isDemo ? demo : this.#random.weighted(others, (candidate) => candidate.popularity);
    const videos = creator.items.filter((item) => item.kind === "video");
    const ranked = (videos.length > 0 ? videos : creator.items).map((item, rank) => ({ item, weight: 1 / (rank + 1) }));
    const { item } = this.#random.weighted(ranked, (choice) => choice.weight);
    return {
      showing: { creatorId: creator.creatorId, contentId: item.contentId, isLive: false, endsAt: null },
      lengthMs: Math.max(1, item.durationSeconds) * 1000,
    };
  }

  #engagement(act: SessionAct): TrafficEvent {
    const { showing, sessionId, viewer } = act.session;
    return {
      kind: "engagement",
      key: showing.creatorId,
      at: act.at,
      value: {
        eventId: this.#id("e"),
        type: act.type,
        contentId: showing.contentId,
        creatorId: showing.creatorId,
        sessionId,
        occurredAt: new Date(act.at).toISOString(),
        ...(act.watchSeconds === undefined ? {} : { watchSeconds: act.watchSeconds }),
        country: viewer.country,
        device: viewer.device,
        isLive: showing.isLive,
      },
    };
  }

  #id(kind: "e" | "s"): string {
    this.#made++;
    return `${kind}.${this.#runId}.${this.#made.toString(36)}`;
  }
}
