// Spares clients the wait for a server that does not answer: after a few failures in a row nobody asks it for a while,
// then one request tries. Holds numbers only, so that one can serve all requests of an isolate.
import type { Clock } from "../../runtime/clock.ts";

/** Failures in a row that open it (ours): one may be a lost packet, three are no accident. */
const FAILURES_TO_OPEN = 3;
/** How long it stays open, doubled with every probe that fails (ours): a server is back within 5 s of its recovery. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 4_000;
/** A probe that has not come back by then is lost, as its request may be: another one may try. */
const PROBE_LEASE_MS = 3_000;

/** Closed, open for a while, or half-open: one probe is on its way. */
export class CircuitBreaker {
  readonly #clock: Clock;
  #failures = 0;
  #pauseMs = FIRST_PAUSE_MS;
  /** No request before then; 0 when closed. */
  #closedUntil = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a request may be made now. Its outcome must be told by `succeeded` or `failed`. */
  allows(): boolean {
    if (this.#closedUntil === 0) {
      return true;
    }
    const now = this.#clock.now();
    if (now < this.#closedUntil) {
      return false;
    }
    // This one is the probe; the others wait for it.
    this.#closedUntil = now + PROBE_LEASE_MS;
    return true;
  }

  /** The server answered. */
  succeeded(): void {
    this.#failures = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#closedUntil = 0;
  }

  /** The server did not answer, or what it answered was no answer. */
  failed(): void {
    this.#failures += 1;
    if (this.#failures >= FAILURES_TO_OPEN) {
      this.#closedUntil = this.#clock.now() + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }
}
