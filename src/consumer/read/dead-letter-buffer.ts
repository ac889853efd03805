// Dead letters found since the last commit. Bounded: a topic full of garbage must not fill the memory with it.
import type { Clock } from "../../runtime/clock.ts";
import type { DeadLetter, DeadLetterReason, UnkeptDeadLetters } from "../ports.ts";

/**
 * Dead letters kept per reason and hour in which they were set aside; beyond that they are only counted. A record's own
 * timestamp may be anything.
 */
export const DEAD_LETTERS_PER_HOUR = 1_000;
/** All values together between two commits, in UTF-16 units. */
const MAX_BUFFERED_CHARS = 4_194_304;
const HOUR_MS = 3_600_000;

/** The hour, since the epoch, of an instant in ms. */
export function hourOf(instant: number): number {
  return Math.floor(instant / HOUR_MS);
}

/** What a commit takes along. */
export interface DeadLetterBatch {
  readonly deadLetters: readonly DeadLetter[];
  readonly unkept: readonly UnkeptDeadLetters[];
}

/** Collects dead letters for the next commit. */
export class DeadLetterBuffer {
  readonly #clock: Clock;
  #letters: DeadLetter[] = [];
  #unkept = new Map<string, UnkeptDeadLetters>();
  #perHour = new Map<string, number>();
  #chars = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#letters.length === 0 && this.#unkept.size === 0;
  }

  add(letter: DeadLetter): void {
    const hour = hourOf(this.#clock.now());
    const key = `${letter.reason} ${hour}`;
    const kept = this.#perHour.get(key) ?? 0;
    if (kept >= DEAD_LETTERS_PER_HOUR || this.#chars + letter.value.length > MAX_BUFFERED_CHARS) {
      this.#countUnkept(key, letter.reason, hour, 1);
      return;
    }
    this.#perHour.set(key, kept + 1);
    this.#chars += letter.value.length;
    this.#letters.push(letter);
  }

  /** Hands over everything collected; `putBack` if the commit fails. */
  take(): DeadLetterBatch {
    const batch = { deadLetters: this.#letters, unkept: [...this.#unkept.values()] };
    this.#letters = [];
    this.#unkept = new Map();
    this.#perHour = new Map();
    this.#chars = 0;
    return batch;
  }

  putBack(batch: DeadLetterBatch): void {
    const later = this.take();
    batch.deadLetters.forEach((letter) => this.add(letter));
    later.deadLetters.forEach((letter) => this.add(letter));
    for (const { reason, hour, count } of [...batch.unkept, ...later.unkept]) {
      this.#countUnkept(`${reason} ${hour}`, reason, hour, count);
    }
  }

  #countUnkept(key: string, reason: DeadLetterReason, hour: number, count: number): void {
    this.#unkept.set(key, { reason, hour, count: (this.#unkept.get(key)?.count ?? 0) + count });
  }
}
