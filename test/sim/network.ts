// Calls between objects: they take time, overtake each other, get lost on the way there or back, and arrive twice.
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { Life } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";

const NEVER_MS = 600_000;
/** Until a call fails that finds nobody. */
const REFUSAL_MS = 1;

/** What carries calls. */
export class Network {
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #faults: () => Faults;
  /** Until then nobody can be called. */
  downUntil = 0;

  constructor(scheduler: Scheduler, chance: Chance, faults: () => Faults) {
    this.#scheduler = scheduler;
    this.#chance = chance;
    this.#faults = faults;
  }

  /**
   * Calls another object.
   * @param perform runs at the receiver when the call arrives; arguments and answers are copied on the way
   */
  call<Argument, Answer>(
    caller: Life,
    argument: Argument,
    perform: (argument: Argument) => Answer | Promise<Answer>,
  ): Promise<Answer> {
    const chance = this.#chance;
    const faults = this.#faults();
    const sent = JSON.stringify(argument);
    const isLost = chance.happens(faults.lostCall);
    const isAnswerLost = chance.happens(faults.lostAnswer);
    const isRepeated = chance.happens(faults.repeatedCall);
    const answerMs = chance.happens(faults.hangingCall) ? NEVER_MS : this.#latency();
    const arrive = async () => perform(parsed(sent));
    return caller.promise<Answer>((resolve, reject) => {
      const fail = (error: unknown) => reject(error instanceof Error ? error : new Error(String(error)));
      if (this.#scheduler.now() < this.downUntil) {
        this.#scheduler.after(REFUSAL_MS, () => fail(new Error("Network connection lost.")));
        return;
      }
      if (isLost) {
        this.#scheduler.after(answerMs, () => fail(new Error("Network connection lost.")));
        return;
      }
      this.#scheduler.after(this.#latency(), () => {
        const answered = (answer: Answer) => {
          const returned = JSON.stringify(answer);
          return this.#scheduler.after(answerMs, () =>
            isAnswerLost ? fail(new Error("Network connection lost.")) : resolve(parsed(returned)),
          );
        };
        void arrive().then(answered, (error: unknown) => this.#scheduler.after(answerMs, () => fail(error)));
      });
      if (isRepeated) {
        // Whatever comes of it, the caller does not hear of it.
        this.#scheduler.after(this.#latency(), () => void arrive().catch(() => undefined));
      }
    });
  }

  #latency(): number {
    return this.#chance.happens(this.#faults().slowCall)
      ? this.#chance.between(500, 8_000)
      : this.#chance.between(0, 40);
  }
}

function parsed(text: string | undefined) {
  return text === undefined ? undefined : JSON.parse(text);
}
