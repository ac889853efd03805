// How often a reader calls a hub: the product promises that this grows with what is watched, not with what goes wrong.

const WINDOW_MS = 1_000;
/**
 * Calls of one reader to one hub within a second. One each 250 ms makes up to five; a new reader, a new incarnation of
 * the hub and a clock that jumps are each served at once, which made six in 1,500 seeds.
 */
const MOST_CALLS = 8;

/** Calls of late, by who calls whom. */
export class Pace {
  readonly #calls = new Map<string, number[]>();

  /** @returns what is wrong with a call at this instant (ms), in words; null when nothing is */
  faultOf(caller: string, called: string, now: number): string | null {
    const key = `${caller} ${called}`;
    const recent = (this.#calls.get(key) ?? []).filter((at) => at > now - WINDOW_MS);
    recent.push(now);
    this.#calls.set(key, recent);
    return recent.length > MOST_CALLS
      ? `${caller} called the hub of ${called} ${recent.length} times in a second`
      : null;
  }
}
