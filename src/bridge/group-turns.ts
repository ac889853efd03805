// Calls for one consumer instance follow each other; one that reads gives way to one that wants something done.
import { within } from "./kafka-errors.ts";

/** The calls for one instance. */
interface Line {
  last: Promise<unknown>;
  count: number;
  /** How many of them want something done: reads before them end, or do not begin. */
  acting: number;
  /** Ends the read under way. */
  reading: AbortController | undefined;
}

/** Turns by the names of instances. */
export class InstanceTurns {
  readonly #lines = new Map<string, Line>();

  /**
   * Reads in turn. The signal that `work` gets ends with the caller's, and when another call wants its turn. Answers
   * undefined, and does not begin, where the turn has not come by the deadline or the caller is gone before it.
   */
  async read<T>(
    name: string,
    { signal, deadline }: { signal: AbortSignal; deadline: AbortSignal },
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const waited = Promise.withResolvers<undefined>();
    deadline.addEventListener("abort", () => waited.resolve(undefined), { once: true });
    let hasBegun = false;
    const turn = this.#queue(name, async (line) => {
      if (signal.aborted || deadline.aborted || line.acting > 0) {
        return undefined;
      }
      hasBegun = true;
      waited.resolve(undefined);
      const reading = new AbortController();
      line.reading = reading;
      try {
        return await work(AbortSignal.any([signal, reading.signal]));
      } finally {
        line.reading = undefined;
      }
    });
    await Promise.race([turn, waited.promise]);
    return hasBegun || !deadline.aborted ? turn : undefined;
  }

  /** Does something in turn, ahead of the end of a read. Throws a 503, and does not begin, once the deadline has passed. */
  async act<T>(name: string, deadline: AbortSignal, work: () => Promise<T>): Promise<T> {
    const line = this.#line(name);
    line.acting += 1;
    line.reading?.abort();
    try {
      return await this.wait(name, deadline, work);
    } finally {
      line.acting -= 1;
    }
  }

  /** The same, but behind a read. */
  wait<T>(name: string, deadline: AbortSignal, work: () => Promise<T>): Promise<T> {
    const turn = this.#queue(name, () => {
      deadline.throwIfAborted();
      return work();
    });
    return within(deadline, turn);
  }

  async #queue<T>(name: string, work: (line: Line) => Promise<T>): Promise<T> {
    const line = this.#line(name);
    line.count += 1;
    const turn = line.last.then(() => work(line));
    line.last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      line.count -= 1;
      if (line.count === 0) {
        this.#lines.delete(name);
      }
    }
  }

  #line(name: string): Line {
    const line = this.#lines.get(name) ?? { last: Promise.resolve(), count: 0, acting: 0, reading: undefined };
    this.#lines.set(name, line);
    return line;
  }
}
