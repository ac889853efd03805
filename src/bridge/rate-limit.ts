// How much a bridge takes on: requests per second and credential, failed logins, and polls waiting at once.
import type { Clock } from "../runtime/clock.ts";
import type { Authenticate, Caller, Claim } from "./credentials.ts";
import { BridgeError } from "./errors.ts";

/** Buckets of tokens, one for each key, filled steadily; a new one is full. */
class TokenBuckets {
  readonly #perSecond: number;
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #buckets = new Map<string, { tokens: number; filledAt: number }>();

  constructor(options: { perSecond: number; capacity: number; clock: Clock; most?: number }) {
    this.#perSecond = options.perSecond;
    this.#capacity = options.capacity;
    this.#clock = options.clock;
    this.#most = options.most ?? Number.POSITIVE_INFINITY;
  }

  tokens(key: string): number {
    const now = this.#clock.now();
    const bucket = this.#buckets.get(key) ?? { tokens: this.#capacity, filledAt: now };
    const gained = (Math.max(0, now - bucket.filledAt) / 1000) * this.#perSecond;
    return Math.min(this.#capacity, bucket.tokens + gained);
  }

  take(key: string): void {
    const tokens = Math.max(0, this.tokens(key) - 1);
    // Set anew at the end: the first key is the one not used for the longest time.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens, filledAt: this.#clock.now() });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > this.#most && oldest !== undefined) {
      this.#buckets.delete(oldest);
    }
  }
}

/**
 * Makes the limiter of requests per second: a bucket for each caller that holds two seconds' worth, so that short bursts
 * pass. 0 is no limit. The returned function throws a 429 when a caller is too fast.
 */
export function createRateLimit(requestsPerSecond: number, clock: Clock): (caller: string) => void {
  const buckets = new TokenBuckets({ perSecond: requestsPerSecond, capacity: requestsPerSecond * 2, clock });
  return (caller) => {
    if (requestsPerSecond === 0) {
      return;
    }
    if (buckets.tokens(caller) < 1) {
      throw new BridgeError(429, `Too many requests: ${requestsPerSecond} a second are accepted`, { retryAfter: 1 });
    }
    buckets.take(caller);
  };
}

/**
 * Logins that may fail at once for one name from one address, and each second after. The stock client tries six times, and
 * several of them may share the address of a proxy or a cloud; nobody guesses a password at this pace.
 */
const FAILED_LOGINS = { atOnce: 50, perSecond: 5 };
/** Pairs of address and name remembered, a hundred bytes each. */
const MOST_LOGINS = 10_000;
/** As long as a username may be. */
const MOST_NAME_CHARS = 128;

/** Makes the limiter of failed logins: runs a login, or throws a 429 where too many of that name have failed from there. */
export function createLoginLimit(
  clock: Clock,
): (address: string | undefined, claim: Claim | undefined, login: Authenticate) => Caller {
  const { atOnce: capacity, perSecond } = FAILED_LOGINS;
  const buckets = new TokenBuckets({ perSecond, capacity, clock, most: MOST_LOGINS });
  return (address, claim, login) => {
    const key = `${address} ${claim?.username.slice(0, MOST_NAME_CHARS)}`;
    if (buckets.tokens(key) < 1) {
      throw new BridgeError(429, "Too many failed logins", { retryAfter: 1 });
    }
    try {
      return login(claim);
    } catch (error) {
      buckets.take(key);
      throw error;
    }
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
