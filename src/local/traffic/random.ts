// Seeded randomness for the traffic generator: the same seed plays the same day.

/** A stream of pseudo-random numbers, fixed by its seed. Not for secrets. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any integer; its low 32 bits count */
  constructor(seed: number) {
    this.#a = 0;
    this.#b = seed | 0;
    this.#c = 0x9e3779b9 | 0;
    // The generator's author asks for 12 rounds before the first use of a small seed.
    for (let i = 0; i < 12; i++) {
      this.#next32();
    }
  }

  /** A number in [0, 1). */
  next(): number {
    return this.#next32() / 4_294_967_296;
  }

  /** An integer in [from, to]. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** An exponentially distributed number with the given mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  /** How many of many rare things happened where `mean` were expected (Knuth's method; the mean stays small here). */
  poisson(mean: number): number {
    const limit = Math.exp(-Math.min(mean, 500));
    let count = 0;
    for (let product = this.next(); product > limit; product *= this.next()) {
      count++;
    }
    return count;
  }

  /** One of `choices`, each as likely as its weight; throws on none. */
  weighted<T>(choices: readonly T[], weightOf: (choice: T) => number): T {
    let rest = this.next() * choices.reduce((sum, choice) => sum + weightOf(choice), 0);
    for (const choice of choices) {
      rest -= weightOf(choice);
      if (rest < 0) {
        return choice;
      }
    }
    const last = choices.at(-1);
    if (last === undefined) {
      throw new RangeError("nothing to choose from");
    }
    return last;
  }

  /** sfc32, Chris Doty-Humphrey's small fast counting generator (PractRand, public domain). */
  #next32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}
