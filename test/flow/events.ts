// Events for the flows, and a count of them that shares nothing with the product's own.
import { Kafka } from "@upstash/kafka";
import type { Product } from "./product.ts";

/** Deterministic pseudo-random numbers in [0, 1) (mulberry32), so that a printed seed repeats a run. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One engagement event as a producer writes it. */
export interface Played {
  readonly eventId: string;
  readonly type: string;
  readonly contentId: string;
  readonly creatorId: string;
  readonly sessionId: string;
  readonly occurredAt: string;
  readonly watchSeconds?: number;
  readonly isLive?: boolean;
}

/** Produces values through the stock REST client, keyed by creator, in one request. */
export async function produce(product: Product, topic: string, key: string, values: readonly string[]): Promise<void> {
  const producer = new Kafka(product.kafka).producer();
  await producer.produceMany(values.map((value) => ({ topic, key, value })));
}

/** What the totals must be: every distinct event counted once, whatever came twice. */
export function expectedTotals(played: readonly Played[]) {
  const distinct = [...new Map(played.map((event) => [event.eventId, event])).values()];
  const count = (type: string) => distinct.filter((event) => event.type === type).length;
  return {
    views: count("view.started"),
    likes: count("like.added") - count("like.removed"),
    shares: count("share.created"),
    completions: count("view.completed"),
    watchSeconds: distinct.reduce((sum, event) => sum + Math.min(60, event.watchSeconds ?? 0), 0),
    items: new Set(distinct.map((event) => event.contentId)).size,
  };
}

/** Plays `sessions` viewings over `items` items of one creator, at instants just before `now`. */
export function play(options: {
  creatorId: string;
  sessions: number;
  items: number;
  now: number;
  random: () => number;
  prefix?: string;
}): Played[] {
  const { creatorId, sessions, items, now, random, prefix = "" } = options;
  const events: Played[] = [];
  for (let session = 0; session < sessions; session++) {
    const sessionId = `${creatorId}-${prefix}s${session}`;
    const contentId = `${creatorId}_item${Math.floor(random() * items)}`;
    let at = now - 30_000;
    const add = (type: string, more: Partial<Played> = {}) => {
      events.push({
        eventId: `${sessionId}-${events.length}`,
        type,
        contentId,
        creatorId,
        sessionId,
        occurredAt: new Date(at).toISOString(),
        ...more,
      });
    };
    add("view.started");
    for (let beat = 0; beat < 1 + Math.floor(random() * 2); beat++) {
      at += 10_000;
      add("view.heartbeat", { watchSeconds: Math.floor(random() * 80) });
    }
    if (random() < 0.3) {
      add("like.added");
    }
    if (random() < 0.1) {
      add("like.removed");
    }
    if (random() < 0.2) {
      add("share.created");
    }
    if (random() < 0.4) {
      add("view.completed");
    }
  }
  return events;
}
