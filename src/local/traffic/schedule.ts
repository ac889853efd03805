// Which live streams are on: the demo creator's never stop, a few others come and go.
import type { PlayableCreator, PlayableItem, Repertoire } from "./repertoire.ts";
import type { Random } from "./random.ts";

const MINUTE_MS = 60_000;

/** How many creators besides the demo creator are live at once: ours, enough that several hubs and partitions move. */
const OTHER_STREAMS = 3;
/** Between two streams of one item: more than the 2 minutes after which a silent stream counts as ended. */
const REST_MS = 4 * MINUTE_MS;
/** An audience arrives over the first minute and a half. */
const RAMP_MS = 90_000;

/** A live stream that is on, or has just been. */
export interface Stream {
  readonly creatorId: string;
  readonly contentId: string;
  readonly startsAt: number;
  readonly endsAt: number;
  /** Its part of all viewing sessions, 0 to 1, once the audience is there. */
  readonly share: number;
}

/** How full a stream is at an instant, 0 to 1: it fills up and breathes a little. */
export function fullness(stream: Stream, at: number): number {
  const age = at - stream.startsAt;
  const breathing = 0.85 + 0.15 * Math.sin((age / (7 * MINUTE_MS)) * 2 * Math.PI);
  return Math.min(1, 0.25 + age / RAMP_MS) * breathing;
}

/** The programme. Of an item at most one stream is on at a time. */
export class Schedule {
  readonly #repertoire: Repertoire;
  readonly #random: Random;
  readonly #restingUntil = new Map<string, number>();
  #streams: Stream[] = [];

  constructor(repertoire: Repertoire, random: Random) {
    this.#repertoire = repertoire;
    this.#random = random;
  }

  /** The streams that are on at `at`, which never goes back; starts new ones where too few are. */
  on(at: number): readonly Stream[] {
    for (const stream of this.#streams) {
      if (stream.endsAt <= at) {
        this.#restingUntil.set(stream.contentId, stream.endsAt + REST_MS);
      }
    }
    this.#streams = this.#streams.filter((stream) => stream.endsAt > at);
    const { demo, others } = this.#repertoire;
    if (!this.#streams.some((stream) => stream.creatorId === demo.creatorId)) {
      this.#start(demo, at, 0.35);
    }
    const candidates = others.filter(
      (creator) =>
        this.#liveItems(creator, at).length > 0 && !this.#streams.some((on) => on.creatorId === creator.creatorId),
    );
    for (let on = this.#streams.length - 1; on < OTHER_STREAMS && candidates.length > 0; on++) {
      const creator = this.#random.weighted(candidates, (candidate) => candidate.popularity);
      candidates.splice(candidates.indexOf(creator), 1);
      this.#start(creator, at, 0.25 / OTHER_STREAMS);
    }
    return this.#streams;
  }

  /** A creator whose every live item rests goes on with the first one: the demo creator is never off. */
  #start(creator: PlayableCreator, at: number, share: number): void {
    const item =
      this.#liveItems(creator, at)[0] ?? creator.items.find((any) => any.kind === "live") ?? creator.items[0];
    if (!item) {
      return;
    }
    const endsAt = at + this.#random.between(12, 35) * MINUTE_MS;
    this.#streams.push({ creatorId: creator.creatorId, contentId: item.contentId, startsAt: at, endsAt, share });
  }

  #liveItems(creator: PlayableCreator, at: number): PlayableItem[] {
    return creator.items.filter((item) => item.kind === "live" && (this.#restingUntil.get(item.contentId) ?? 0) <= at);
  }
}
