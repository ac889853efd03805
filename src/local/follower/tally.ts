// What the log's events add to history, as a function of the log alone and by the same rules as the live count: the
// numbers of a drained log agree.
import {
  type EngagementEvent,
  engagementEventSchema,
  type SubscriptionEvent,
  subscriptionEventSchema,
} from "../../contract/events.ts";
import type { Increments } from "./increments.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 86_400 * SECOND_MS;

/** A producer's repeat of an event is known for 10 minutes of log time: the live count's own rule. */
export const ENGAGEMENT_MEMORY_MS = 10 * MINUTE_MS;
/** Subscriptions are rare and exact: their repeats are known for a week (ours). */
export const SUBSCRIPTION_MEMORY_MS = 7 * DAY_MS;
/** One beat counts at most this much watching: the live count's own rule. */
const MAX_BEAT_SECONDS = 60;
/** An event said to be older than this was stamped by a broken clock: it counts when the log got it (ours). */
const OLDEST_MS = 31 * DAY_MS;

/** A record as far as counting needs it. */
export interface FollowedRecord {
  readonly offset: number;
  /** ms since the Unix epoch, as the log stamped it. */
  readonly timestamp: number;
  readonly value: string;
}

/** What of one source must be remembered between records. */
export interface SourceMemory {
  /** The running maximum of the records' timestamps. */
  logTime: number;
  /** Event ids and the log time they came at. */
  readonly seen: Map<string, number>;
  /** Each session's newest beat. */
  readonly beats: Map<string, NewestBeat>;
}

/** The newest beat of a session, by the session's own clock: it orders its beats, and may be wrong otherwise. */
export interface NewestBeat {
  readonly newest: number;
  /** The log time it was heard at. */
  readonly heardAt: number;
}

/** Counts the records of one source, `memory` going with it. What came new is in `seen` and `beats`. */
export class SourceTally {
  readonly #kind: "engagement" | "subscription";
  readonly #memory: SourceMemory;
  readonly #increments: Increments;
  readonly seen = new Map<string, number>();
  readonly beats = new Map<string, NewestBeat>();
  /** Records that were no event of a type we know. */
  skipped = 0;
  /** Producer's repeats. */
  repeated = 0;

  constructor(kind: "engagement" | "subscription", memory: SourceMemory, increments: Increments) {
    this.#kind = kind;
    this.#memory = memory;
    this.#increments = increments;
  }

  /** Takes the next record of the source. */
  add(record: FollowedRecord): void {
    this.#memory.logTime = Math.max(this.#memory.logTime, record.timestamp);
    const schema = this.#kind === "engagement" ? engagementEventSchema : subscriptionEventSchema;
    const parsed = schema.safeParse(parseJson(record.value));
    if (!parsed.success) {
      this.skipped++;
    } else if ("sessionId" in parsed.data) {
      this.#engagement(parsed.data);
    } else {
      this.#subscription(parsed.data);
    }
  }

  #engagement(event: EngagementEvent): void {
    const isBeat = event.type === "view.heartbeat" || event.type === "view.ended";
    if (isBeat ? !this.#isNewest(event) : !this.#isNew(event.eventId)) {
      this.repeated++;
      return;
    }
    // A start is a view, known by its id, and besides the session's first beat unless a later one overtook it.
    const isWatching = isBeat || (event.type === "view.started" && this.#isNewest(event));
    if (isWatching) {
      const { beats, logTime } = this.#memory;
      const beat = { newest: Date.parse(event.occurredAt), heardAt: logTime };
      beats.set(sessionOf(event), beat);
      this.beats.set(sessionOf(event), beat);
    }
    const watchSeconds = isWatching ? Math.min(event.watchSeconds ?? 0, MAX_BEAT_SECONDS) : 0;
    this.#increments.engagement(event, this.#timeOf(event.occurredAt), watchSeconds);
  }

  #isNewest(event: EngagementEvent): boolean {
    const beat = this.#memory.beats.get(sessionOf(event));
    return beat === undefined || Date.parse(event.occurredAt) > beat.newest;
  }

  #subscription(event: SubscriptionEvent): void {
    if (this.#isNew(event.eventId)) {
      this.#increments.subscription(event, this.#timeOf(event.occurredAt));
    } else {
      this.repeated++;
    }
  }

  #isNew(eventId: string): boolean {
    const { seen, logTime } = this.#memory;
    const known = seen.get(eventId);
    if (known !== undefined && known > logTime - memoryOf(this.#kind)) {
      return false;
    }
    seen.set(eventId, logTime);
    this.seen.set(eventId, logTime);
    return true;
  }

  /** An event cannot have happened after the log got it. */
  #timeOf(occurredAt: string): number {
    const { logTime } = this.#memory;
    const at = Math.min(Date.parse(occurredAt), logTime);
    return at < logTime - OLDEST_MS ? logTime : at;
  }
}

/** How long the repeats of a kind of source are known, in ms of log time. */
export function memoryOf(kind: "engagement" | "subscription"): number {
  return kind === "engagement" ? ENGAGEMENT_MEMORY_MS : SUBSCRIPTION_MEMORY_MS;
}

function sessionOf(event: EngagementEvent): string {
  return `${event.creatorId} ${event.sessionId}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
