// Time as a dependency: nothing that decides reads the wall clock by itself.

/** A source of the current instant. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };
