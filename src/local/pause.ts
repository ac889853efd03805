// Waiting that an ending process cuts short.
import { setTimeout } from "node:timers/promises";

/** Waits `ms`, or until `signal` fires; never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // The only possible failure is the signal's, and that ends the wait as much as the time does.
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
