// How long to wait before the next attempt: exponential with full jitter, so that thousands of clients that lost the
// same server do not come back together.

/** The first delay's bound, ms: a lone drop heals before anyone notices. Ours. */
export const FIRST_DELAY_MS = 500;
/** The longest bound, ms: long enough to spare a service in trouble, short enough that a person still waits. Ours. */
export const LONGEST_DELAY_MS = 30_000;
/** No attempt follows at once, whatever the dice say, ms. */
export const SHORTEST_DELAY_MS = 100;

/**
 * Milliseconds before attempt `failures` + 1, at least `minimumMs`. `random` gives a number in [0, 1).
 * The bound doubles with each failure in a row up to {@link LONGEST_DELAY_MS}.
 */
export function backOffMs(failures: number, random: () => number, minimumMs = SHORTEST_DELAY_MS): number {
  const bound = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 16));
  return Math.round(minimumMs + random() * bound);
}
