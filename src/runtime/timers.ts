/** Timers, injected so that a test can turn them by hand. */
export interface Timers {
  /** Calls `fire` once after `ms`, unless the returned function was called before. */
  after(ms: number, fire: () => void): () => void;
}

/** The runtime's own. */
export const systemTimers: Timers = {
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};
