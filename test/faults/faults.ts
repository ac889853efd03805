// What goes wrong during a run, at instants and in an order that its seed decides: processes are killed and started
// again, readers' objects aborted, sockets cut. The seed fixes the choices and the pauses, not the machine's speed.
import { pause } from "../../src/local/pause.ts";
import { randomOf } from "../flow/events.ts";
import type { OpenDashboard } from "./open-dashboard.ts";
import type { RunningProduct } from "./running-product.ts";

/** Processes that are killed. */
export type Victim = "api" | "consumer" | "bridge";

/** How often each thing went wrong. */
export interface FaultCounts {
  readonly killed: Record<Victim, number>;
  readersRestarted: number;
  socketsCut: number;
}

/** While one Worker is being killed the other lives on, and its memory can be watched; in between both die at once. */
const whileApiLives: readonly Victim[][] = [["consumer"], ["bridge"], ["consumer"], ["consumer", "bridge"]];
const inBetween: Victim[] = ["api", "consumer", "bridge"];
const whileConsumerLives: readonly Victim[][] = [["api"], ["bridge"], ["api"], ["api", "bridge"]];
/** The API Worker lives through this part of a run: the consumer takes longer to show that its memory is flat. */
const API_PART = 1 / 3;

/** How a run's faults are spread. */
export interface FaultPlan {
  readonly seed: number;
  readonly durationMs: number;
  /** The longest pause between two kills, ms; the shortest is a quarter of it. */
  readonly killPauseMs: number;
}

/** The longest pause between two lesser faults, ms. */
const LESSER_PAUSE_MS = 2_500;
/** The longest time for which a killed process stays away, ms: readers give up on a call after 5 s. */
const LONGEST_ABSENCE_MS = 6_000;

/** Makes things go wrong. */
export class Faults {
  readonly counts: FaultCounts = {
    killed: { api: 0, consumer: 0, bridge: 0 },
    readersRestarted: 0,
    socketsCut: 0,
  };
  /** What was done and when, for whoever looks into a failure. */
  readonly history: string[] = [];
  readonly #product: RunningProduct;
  readonly #dashboards: readonly OpenDashboard[];
  readonly #sources: readonly string[];
  readonly #plan: FaultPlan;
  readonly #startedAt = Date.now();
  #undisturbed: "api" | "consumer" | undefined;

  constructor(
    product: RunningProduct,
    dashboards: readonly OpenDashboard[],
    sources: readonly string[],
    plan: FaultPlan,
  ) {
    this.#product = product;
    this.#dashboards = dashboards;
    this.#sources = sources;
    this.#plan = plan;
  }

  /** The Worker that lives through the present part; undefined while both are killed. */
  get undisturbed(): "api" | "consumer" | undefined {
    return this.#undisturbed;
  }

  /** Goes on until the plan's time is over or `ending` fires; everything runs again when it resolves. */
  async play(ending: AbortSignal): Promise<void> {
    await Promise.all([this.#killProcesses(ending), this.#playLesserFaults(ending)]);
  }

  async #killProcesses(ending: AbortSignal): Promise<void> {
    const random = randomOf(this.#plan.seed);
    this.#undisturbed = "api";
    await this.#killFrom(whileApiLives, random, this.#plan.durationMs * API_PART, ending);
    this.#undisturbed = undefined;
    await this.#kill(inBetween, random, ending);
    this.#undisturbed = "consumer";
    await this.#killFrom(whileConsumerLives, random, this.#plan.durationMs, ending);
  }

  /** Kills what a shuffled deck says, again and again, so that every card is played early and often. */
  async #killFrom(
    cards: readonly Victim[][],
    random: () => number,
    untilMs: number,
    ending: AbortSignal,
  ): Promise<void> {
    const { killPauseMs } = this.#plan;
    let deck: Victim[][] = [];
    for (;;) {
      if (deck.length === 0) {
        deck = shuffled(cards, random);
      }
      const victims = deck.pop() ?? [];
      const pauseMs = killPauseMs * (0.25 + 0.75 * random());
      if (ending.aborted || this.#elapsed() + pauseMs > untilMs) {
        return;
      }
      await pause(pauseMs, ending);
      await this.#kill(victims, random, ending);
    }
  }

  async #kill(victims: readonly Victim[], random: () => number, ending: AbortSignal): Promise<void> {
    const absences = victims.map(() => random() * LONGEST_ABSENCE_MS);
    this.#note(`killing ${victims.join(" and ")}`);
    await Promise.all(
      victims.map(async (victim, at) => {
        const part = this.#product.part(victim);
        await part.kill();
        this.counts.killed[victim] += 1;
        await pause(absences[at] ?? 0, ending);
        await part.start();
        this.#note(`${victim} runs again`);
      }),
    );
  }

  async #playLesserFaults(ending: AbortSignal): Promise<void> {
    const random = randomOf(this.#plan.seed + 1);
    for (;;) {
      const pauseMs = random() * LESSER_PAUSE_MS;
      const source = this.#sources[Math.floor(random() * this.#sources.length)] ?? "";
      const dashboard = this.#dashboards[Math.floor(random() * this.#dashboards.length)];
      const isRestart = random() < 0.5;
      if (ending.aborted || this.#elapsed() + pauseMs > this.#plan.durationMs) {
        return;
      }
      await pause(pauseMs, ending);
      if (isRestart) {
        await this.#restartReader(source);
      } else {
        dashboard?.cut();
        this.counts.socketsCut += 1;
      }
    }
  }

  async #restartReader(source: string): Promise<void> {
    try {
      await this.#product.restartReader(source);
      this.counts.readersRestarted += 1;
      this.#note(`restarted ${source}`);
    } catch {
      // The consumer is away just now, and so is this reader: a worse fault than the one meant.
    }
  }

  #elapsed(): number {
    return Date.now() - this.#startedAt;
  }

  #note(what: string): void {
    this.history.push(`${(this.#elapsed() / 1_000).toFixed(1)} s: ${what}`);
  }
}

function shuffled<Card>(cards: readonly Card[], random: () => number): Card[] {
  return cards
    .map((card) => ({ card, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ card }) => card);
}
