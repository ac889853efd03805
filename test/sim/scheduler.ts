// Simulated time: a queue of things that will happen, taken one by one. Between two of them every promise has settled
// that can, so what the code under test does is fixed by the order in which the queue lets things happen.

interface Planned {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
  cancelled: boolean;
}

/** A queue of acts in simulated time. */
export class Scheduler {
  #now: number;
  #order = 0;
  readonly #queue: Planned[] = [];

  /** @param startAt ms since the Unix epoch */
  constructor(startAt: number) {
    this.#now = startAt;
  }

  /** The true time, which no part of the product sees: each has a clock of its own. */
  now(): number {
    return this.#now;
  }

  /** Plans an act; the returned function calls it off. Acts of one instant happen in the order they were planned. */
  after(ms: number, act: () => void): () => void {
    const planned = { at: this.#now + Math.max(0, ms), order: this.#order++, act, cancelled: false };
    this.#push(planned);
    return () => {
      planned.cancelled = true;
    };
  }

  /** Resolves after `ms`. */
  delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** When the next act is due; null when nothing is planned. */
  nextAt(): number | null {
    while (this.#queue[0]?.cancelled === true) {
      this.#pop();
    }
    return this.#queue[0]?.at ?? null;
  }

  /** Lets the next act happen, and all that follows from it at once. False when there is none before `until`. */
  async step(until = Number.POSITIVE_INFINITY): Promise<boolean> {
    const at = this.nextAt();
    if (at === null || at > until) {
      return false;
    }
    const planned = this.#pop();
    this.#now = Math.max(this.#now, at);
    planned?.act();
    await settled();
    return true;
  }

  /** Lets everything happen up to an instant. */
  async runUntil(until: number): Promise<void> {
    while (await this.step(until)) {
      // One act after the other.
    }
    this.#now = Math.max(this.#now, until);
  }

  /** Time passes and nothing happens, as while a machine sleeps: what was due meanwhile happens at once afterwards. */
  skip(ms: number): void {
    this.#now += ms;
  }

  #push(planned: Planned): void {
    const queue = this.#queue;
    let child = queue.push(planned) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfEarlier(child, parent)) {
        break;
      }
      child = parent;
    }
  }

  #pop(): Planned | undefined {
    const queue = this.#queue;
    const first = queue[0];
    const last = queue.pop();
    if (last !== undefined && queue.length > 0) {
      queue[0] = last;
      for (let parent = 0; ;) {
        const left = parent * 2 + 1;
        const right = left + 1;
        const child = right < queue.length && this.#isEarlier(right, left) ? right : left;
        if (child >= queue.length || !this.#swapIfEarlier(child, parent)) {
          break;
        }
        parent = child;
      }
    }
    return first;
  }

  #isEarlier(a: number, b: number): boolean {
    const first = this.#queue[a];
    const second = this.#queue[b];
    if (first === undefined || second === undefined) {
      return false;
    }
    return first.at === second.at ? first.order < second.order : first.at < second.at;
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    if (!this.#isEarlier(child, parent)) {
      return false;
    }
    const queue = this.#queue;
    const [a, b] = [queue[child], queue[parent]];
    if (a !== undefined && b !== undefined) {
      queue[child] = b;
      queue[parent] = a;
    }
    return true;
  }
}

/** Resolves once every promise has settled that can without further acts. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
