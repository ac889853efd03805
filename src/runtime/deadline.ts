// Waiting with an end: every call to the outside has one.
import type { Timers } from "./timers.ts";

/** A call that did not answer in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/**
 * Calls and waits at most `ms`. The signal is aborted at the deadline; an answer that comes later all the same is
 * discarded. Throws `DeadlineError`, or what the call throws.
 */
export function withDeadline<Answer>(
  timers: Timers,
  ms: number,
  call: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const cancel = timers.after(ms, () => {
      reject(new DeadlineError(`no answer within ${ms} ms`));
      controller.abort();
    });
    call(controller.signal).then(resolve, reject).finally(cancel);
  });
}

/** Resolves after `ms`. */
export function sleep(timers: Timers, ms: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(ms, resolve);
  });
}

/** Doubling waits: `firstMs`, twice as long after each further failure, at most `mostMs`. `failures` is at least 1. */
export function backoff(failures: number, firstMs: number, mostMs: number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(30, failures - 1));
}
