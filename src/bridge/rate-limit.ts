// How much a bridge takes on: requests per second and credential, and polls waiting at once.
import type { Clock } from "../runtime/clock.ts";
import { BridgeError } from "./errors.ts";

/**
 * Makes the limiter of requests per second: a bucket for each caller that holds two seconds' worth, so that short bursts
 * pass. 0 is no limit. The returned function throws a 429 when a caller is too fast.
 */
export function createRateLimit(requestsPerSecond: number, clock: Clock): (caller: string) => void {
  const capacity = requestsPerSecond * 2;
  const buckets = new Map<string, { tokens: number; filledAt: number }>();
  return (caller) => {
    if (requestsPerSecond === 0) {
      return;
    }
    const now = clock.now();
    const bucket = buckets.get(caller) ?? { tokens: capacity, filledAt: now };
    const gained = (Math.max(0, now - bucket.filledAt) / 1000) * requestsPerSecond;
    const tokens = Math.min(capacity, bucket.tokens + gained);
    if (tokens < 1) {
      throw new BridgeError(429, `Too many requests: ${requestsPerSecond} a second are accepted`, { retryAfter: 1 });
    }
    buckets.set(caller, { tokens: tokens - 1, filledAt: now });
  };
}

/** Bounds how many polls are answered at once. */
export class PollGate {
  readonly #most: number;
  #inFlight = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Does a poll's work. Throws a 429 when too many are waiting already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inFlight >= this.#most) {
      throw new BridgeError(429, `Too many polls: ${this.#most} at once`, { retryAfter: 1 });
    }
    this.#inFlight += 1;
    try {
      return await work();
    } finally {
      this.#inFlight -= 1;
    }
  }
}
