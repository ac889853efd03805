// The one source of randomness of a simulation: everything that may happen is drawn from it, so a seed is a history.

/** Pseudo-random numbers from a seed (splitmix32: Steele, Lea, Flood 2014, in its 32-bit form). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x5bf03635) | 0;
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state ^ (this.#state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296;
  }

  /** An integer in [from, to]. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** True with the given probability. */
  happens(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of `choices`, which is not empty. */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.next() * choices.length)];
    if (choice === undefined) {
      throw new RangeError("nothing to pick from");
    }
    return choice;
  }
}
