// The clock of one object: the true time, and how wrong it is.
import type { Clock } from "../../src/runtime/clock.ts";
import type { Scheduler } from "./scheduler.ts";

/** A clock that a fault may set wrong. */
export class SkewedClock implements Clock {
  readonly #scheduler: Scheduler;
  skewMs = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  now(): number {
    return this.#scheduler.now() + this.skewMs;
  }
}
