// What producers do: a few creators, items and sessions, with clocks that are wrong, repeats and garbage.
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { SimulatedLog } from "./simulated-log.ts";
import { partitionOf } from "../../src/contract/partitioner.ts";
import { defaultTopics } from "../../src/contract/events.ts";

/** Creators of every simulation. */
export const creatorIds = ["crt_a", "crt_b", "crt_c", "crt_d"] as const;
/** The item of a creator that is a stream. */
export const streamOf = (creatorId: string) => `cnt_${creatorId.slice(4)}_live`;
/** A repeat comes from a producer that tries again: within minutes, not hours. */
const REPEATED_WITHIN_MS = 240_000;
const SESSIONS = 10;

interface Session {
  readonly id: string;
  readonly creatorId: string;
  readonly skewMs: number;
  contentId: string;
}

const garbage = [
  "",
  "{",
  "null",
  "[1,2]",
  '"text"',
  '{"type":"view.started"}',
  '{"type":"view.rewound","eventId":"x"}',
  JSON.stringify({ type: "view.started", eventId: "", creatorId: "crt_a", contentId: "c", sessionId: "s" }),
  JSON.stringify({
    type: "like.added",
    eventId: "e",
    creatorId: "crt_a",
    contentId: "c",
    sessionId: "s",
    occurredAt: "today",
  }),
];

/** Counts of what was produced to the rare topics, for the verdict. */
export interface RareTruth {
  readonly payments: Map<string, Set<string>>;
  readonly decisions: Map<string, Set<string>>;
  readonly subscribers: Map<string, number>;
}

/** Produces records. */
export class Workload {
  readonly truth: RareTruth = { payments: new Map(), decisions: new Map(), subscribers: new Map() };
  readonly #log: SimulatedLog;
  readonly #chance: Chance;
  readonly #sessions: Session[];
  #made = 0;

  constructor(log: SimulatedLog, chance: Chance) {
    this.#log = log;
    this.#chance = chance;
    this.#sessions = Array.from({ length: SESSIONS }, (_, index) => {
      const creatorId = chance.pick(creatorIds);
      // Most players' clocks are right; some are minutes off, either way.
      const skewMs = chance.happens(0.7) ? 0 : chance.between(-600_000, 600_000);
      return { id: `s${index}`, creatorId, skewMs, contentId: this.#content(creatorId) };
    });
  }

  /** One producer's next record, at the true time `now`. */
  produce(now: number, faults: Faults): void {
    const kind = this.#chance.next();
    if (kind < 0.88) {
      this.#engagement(now, faults);
    } else {
      this.#rare(now, faults);
    }
  }

  #engagement(now: number, faults: Faults): void {
    const chance = this.#chance;
    const session = chance.pick(this.#sessions);
    const topic = defaultTopics.engagement;
    if (chance.happens(faults.garbage)) {
      this.#append(topic, session.creatorId, now, chance.pick(garbage));
      return;
    }
    if (chance.happens(0.1)) {
      session.contentId = this.#content(session.creatorId);
    }
    const draw = chance.next();
    const value = JSON.stringify({
      eventId: `e${this.#made++}`,
      type: typeOf(draw),
      contentId: session.contentId,
      creatorId: session.creatorId,
      sessionId: session.id,
      occurredAt: new Date(now + session.skewMs - (chance.happens(0.2) ? chance.between(0, 60_000) : 0)).toISOString(),
      ...(draw < 0.65 && chance.happens(0.9) ? { watchSeconds: chance.pick([0, 5, 15, 60, 600]) } : {}),
      ...(session.contentId.endsWith("live") ? { isLive: true } : {}),
    });
    this.#append(topic, session.creatorId, now, value);
    this.#maybeRepeat(topic, session.creatorId, now, faults);
  }

  #rare(now: number, faults: Faults): void {
    const chance = this.#chance;
    const creatorId = chance.pick(creatorIds);
    const eventId = `r${this.#made++}`;
    const occurredAt = new Date(now).toISOString();
    const kind = chance.pick(["subscription", "payment", "moderation"] as const);
    const topic = defaultTopics[kind];
    if (chance.happens(faults.garbage)) {
      this.#append(topic, creatorId, now, chance.pick(garbage));
    }
    if (kind === "subscription") {
      // Every change carries the owner's count: the last one of the log is the truth.
      const count = Math.max(0, (this.truth.subscribers.get(creatorId) ?? 100) + (chance.happens(0.7) ? 1 : -1));
      const change = count > (this.truth.subscribers.get(creatorId) ?? 100) ? "subscribed" : "unsubscribed";
      this.truth.subscribers.set(creatorId, count);
      this.#append(
        topic,
        creatorId,
        now,
        JSON.stringify({ eventId, creatorId, change, subscriberCount: count, occurredAt }),
      );
    } else if (kind === "payment") {
      add(this.truth.payments, creatorId, eventId);
      const payment = { eventId, paymentId: `p${eventId}`, creatorId, kind: "ad", amountMinor: 100, currency: "NGN" };
      this.#append(topic, creatorId, now, JSON.stringify({ ...payment, occurredAt }));
    } else {
      add(this.truth.decisions, creatorId, eventId);
      const decision = { eventId, decisionId: `d${eventId}`, creatorId, contentId: "cnt_a_1", decision: "restricted" };
      this.#append(topic, creatorId, now, JSON.stringify({ ...decision, reason: eventId, occurredAt }));
    }
    if (kind !== "subscription") {
      this.#maybeRepeat(topic, creatorId, now, faults);
    }
  }

  /** A producer that did not hear the answer sends a record of its partition again. */
  #maybeRepeat(topic: string, creatorId: string, now: number, faults: Faults): void {
    if (!this.#chance.happens(faults.duplicate)) {
      return;
    }
    const partitions = this.#log.topics.get(topic)?.partitions ?? [];
    const records = partitions[partitionOf(creatorId, partitions.length)]?.records ?? [];
    const back = this.#chance.between(1, 12);
    const record = records.at(-Math.min(back, records.length));
    if (record && now - record.timestamp < REPEATED_WITHIN_MS) {
      this.#append(topic, record.key, now, record.value);
    }
  }

  #append(topic: string, key: string, now: number, value: string): void {
    const partitions = this.#log.topics.get(topic)?.partitions ?? [];
    // Timestamps are the producers': a little out of order.
    const timestamp = now - (this.#chance.happens(0.1) ? this.#chance.between(0, 5_000) : 0);
    partitions[partitionOf(key, partitions.length)]?.append(timestamp, key, value);
  }

  #content(creatorId: string): string {
    return `cnt_${creatorId.slice(4)}_${this.#chance.pick(["1", "2", "live"])}`;
  }
}

function typeOf(draw: number): string {
  const types: [number, string][] = [
    [0.2, "view.started"],
    [0.58, "view.heartbeat"],
    [0.65, "view.ended"],
    [0.72, "view.completed"],
    [0.86, "like.added"],
    [0.92, "like.removed"],
    [1, "share.created"],
  ];
  return types.find(([below]) => draw < below)?.[1] ?? "share.created";
}

function add(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key) ?? new Set();
  set.add(value);
  sets.set(key, set);
}
