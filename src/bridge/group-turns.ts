// Calls for one consumer instance follow each other; one that reads gives way to one that wants something done.
import { within } from "./kafka-errors.ts";

/** The calls for one instance. */
interface Line {
  last: Promise<unknown>;
  /** Calls in it. */
  count: number;
  /** How many of them want something done, and what ends a read before them. */
  acting: number;
  reading: AbortController | undefined;
}

/** Turns by the names of instances. */
export class InstanceTurns {
  readonly #lines = new Map<string, Line>();

  /** Reads in turn. The signal that `work` gets ends with the caller's, and when another call wants its turn. */
  read<T>(name: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#queue(name, async (line) => {
      const reading = new AbortController();
      if (line.acting > 0) {
        reading.abort();
      }
      line.reading = reading;
      try {
        return await work(AbortSignal.any([signal, reading.signal]));
      } finally {
        line.reading = undefined;
      }
    });
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
