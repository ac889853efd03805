// A process or object that may die at any moment: whatever it waits for then never comes, and none of its timers fires.
import type { Scheduler } from "./scheduler.ts";

/** One incarnation of something that runs. */
export class Life {
  #alive = true;

  get alive(): boolean {
    return this.#alive;
  }

  /** Ends it, as a crash or an eviction would: in the middle of anything. */
  end(): void {
    this.#alive = false;
  }

  /** A promise that settles only while this is alive. */
  promise<T>(work: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#alive) {
        work(
          (value) => {
            if (this.#alive) {
              resolve(value);
            }
          },
          (error) => {
            if (this.#alive) {
              reject(error);
            }
          },
        );
      }
    });
  }

  /** A timer that fires only while this is alive. */
  after(scheduler: Scheduler, ms: number, act: () => void): () => void {
    return scheduler.after(ms, () => {
      if (this.#alive) {
        act();
      }
    });
  }
}
