// The runtime's timers.
import type { Timers } from "../ports.ts";

/** `setTimeout` as a port. */
export const workerdTimers: Timers = {
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};
