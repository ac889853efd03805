// One run: the product as processes, creators who produce, dashboards that watch, faults between them; then a drain,
// and the comparison of every dashboard with what was written. The test and `npm run soak` differ in length only.
import { setTimeout } from "node:timers/promises";
import { pause } from "../../src/local/pause.ts";
import { MAX_KEPT } from "../../src/dashboard/live-client/live-numbers.ts";
import { randomOf } from "../flow/events.ts";
import { BusyCreator } from "./busy-creator.ts";
import { type FaultCounts, type FaultPlan, Faults } from "./faults.ts";
import { LogWriter } from "./log-writer.ts";
import {
  canMeasureMemory,
  MemoryGauge,
  memoryOfLife,
  type MemoryOfLife,
  type MemorySample,
  SAMPLE_INTERVAL_MS,
} from "./memory.ts";
import { OpenDashboard } from "./open-dashboard.ts";
import { type RunningProduct, startRunningProduct } from "./running-product.ts";

const CREATORS = 6;
/** Of one creator; the second shows that a hub tells all. */
const DASHBOARDS_EACH = 2;
/** With five to six events a step this makes about a hundred events a second over all creators. */
const STEP_PAUSE_MS = 350;
/** Decisions of a run, fewer than the hundred that a client keeps. */
const MOST_DECISIONS = 90;
const FEWEST_MS_BETWEEN_DECISIONS = 4_000;
/** The first readers start with the stack. */
const FIRST_LIVE_MS = 60_000;
/** A reader that nobody asks is revived by the next minute's cron, and a client waits half a minute at most. */
const DRAIN_MS = 120_000;
/** Readers remember event ids for ten minutes, also when they are killed meanwhile: so long their memory rightly grows. */
const EVENT_MEMORY_MS = 600_000;
/** What was wrong for so long is not waited for again: only whether a new dashboard shows it too. */
const LATE_WHEN_WRONG_MS = 10_000;

/** A dashboard that has seen no alert yet is given so many, the newest. */
const SNAPSHOT_ALERTS = 50;

/** What a run found. */
export interface FaultReport {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: FaultCounts;
  readonly reconnections: number;
  readonly recordsWritten: number;
  readonly producerRetries: number;
  /** Seconds from the last event until every dashboard was right. */
  readonly drainSeconds: number;
  /** Everything that is not as it must be: empty when all is well. */
  readonly failures: readonly string[];
  /** Of each Worker while it was not killed; empty where it cannot be measured. */
  readonly memory: readonly MemoryOfLife[];
}

/** What a run is to do. */
export interface FaultRunOptions extends FaultPlan {
  readonly progress: (line: string) => void;
}

/**
 * Plays a run.
 * @throws Error when the product does not start, or a killed part does not come back
 */
export async function playFaultRun(options: FaultRunOptions): Promise<FaultReport> {
  const product = await startRunningProduct();
  let keep = true;
  try {
    const run = new FaultRun(product, options);
    try {
      const report = await run.play();
      keep = report.failures.length > 0;
      return report;
    } finally {
      run.close();
    }
  } finally {
    if (keep) {
      options.progress(`data and log files are kept in ${product.folder}`);
    }
    await product.stop({ keep });
  }
}

/** Memory of each Worker while it is not killed. */
type Lives = Readonly<Record<"api" | "consumer", MemorySample[]>>;

class FaultRun {
  readonly #product: RunningProduct;
  readonly #options: FaultRunOptions;
  readonly #creators: BusyCreator[];
  readonly #dashboards: OpenDashboard[];
  readonly #writer: LogWriter;

  constructor(product: RunningProduct, options: FaultRunOptions) {
    this.#product = product;
    this.#options = options;
    const { kafkaRestUrl: url, kafkaRestUsername: username, kafkaRestPassword: password } = product.note;
    this.#writer = new LogWriter({ url, username, password });
    this.#creators = Array.from(
      { length: CREATORS },
      (_, number) =>
        new BusyCreator({
          creatorId: `crt_faults_${number}`,
          writer: this.#writer,
          random: randomOf(options.seed + 1_000 + number),
          decisionEveryMs: Math.max(FEWEST_MS_BETWEEN_DECISIONS, options.durationMs / MOST_DECISIONS),
        }),
    );
    this.#dashboards = this.#creators.flatMap(({ creatorId }) =>
      Array.from(
        { length: DASHBOARDS_EACH },
        (_, number) => new OpenDashboard(product, creatorId, `dashboard ${number + 1}`),
      ),
    );
  }

  async play(): Promise<FaultReport> {
    const { seed, durationMs, progress } = this.#options;
    await Promise.all(this.#creators.map((creator) => creator.begin()));
    await until(FIRST_LIVE_MS, () => this.#notLive());
    const { readers } = await this.#product.status();
    const sources = readers.map(({ source }) => source);
    progress(`playing ${durationMs / 1_000} s of faults on ${sources.length} readers`);

    const faults = new Faults(this.#product, this.#dashboards, sources, this.#options);
    const ending = new AbortController();
    const startedAt = Date.now();
    const lives: Lives = { consumer: [], api: [] };
    // A producer or the faults ending for whatever reason ends them all.
    const activities = [
      faults.play(ending.signal),
      ...this.#creators.map((creator) => this.#produce(creator, ending.signal)),
      ...(canMeasureMemory ? [this.#sampleMemory(faults, lives, ending.signal)] : []),
    ].map((activity) => activity.finally(() => ending.abort()));
    await Promise.allSettled(activities);
    await Promise.all(activities);
    await Promise.all(this.#creators.map((creator) => creator.end()));

    progress(`draining after ${JSON.stringify(faults.counts)}`);
    const drainedFrom = Date.now();
    const differences = await this.#drain();
    const drainSeconds = Math.round((Date.now() - drainedFrom) / 100) / 10;
    const failures = [...this.#product.unexpected, ...differences, ...(await this.#wronglySetAside(sources))];
    if (failures.length > 0) {
      const status = await this.#product.status().catch(String);
      progress(`faults:\n${faults.history.join("\n")}\nreaders: ${JSON.stringify(status)}`);
    }
    const reconnections = this.#dashboards.reduce((sum, { connections }) => sum + connections - 1, 0);
    return {
      seed,
      seconds: durationMs / 1_000,
      faults: faults.counts,
      reconnections,
      recordsWritten: this.#creators.reduce((sum, { written }) => sum + written, 0),
      producerRetries: this.#writer.retries,
      drainSeconds,
      failures,
      memory: canMeasureMemory
        ? [
            memoryOfLife("api", lives.api, startedAt),
            memoryOfLife("consumer", lives.consumer, startedAt + EVENT_MEMORY_MS),
          ]
        : [],
    };
  }

  /** Closes every dashboard. */
  close(): void {
    this.#dashboards.forEach((dashboard) => dashboard.close());
  }

  async #produce(creator: BusyCreator, ending: AbortSignal): Promise<void> {
    while (!ending.aborted) {
      await creator.step();
      await setTimeout(STEP_PAUSE_MS);
    }
  }

  /** Takes samples, at equal distances, of whichever Worker is not being killed. */
  async #sampleMemory(faults: Faults, lives: Lives, ending: AbortSignal): Promise<void> {
    const gauges = {
      api: new MemoryGauge("creator-dashboard-api"),
      consumer: new MemoryGauge("creator-dashboard-consumer"),
    };
    while (!ending.aborted) {
      await pause(SAMPLE_INTERVAL_MS, ending);
      const name = faults.undisturbed;
      const pid = name === undefined ? undefined : this.#product.part(name).pid;
      const sample = name === undefined || pid === undefined ? undefined : await gauges[name].sample(pid);
      if (name !== undefined && sample !== undefined && faults.undisturbed === name) {
        lives[name].push(sample);
      }
    }
  }

  #notLive(): string[] {
    return this.#dashboards.filter((dashboard) => !dashboard.isLive()).map(({ name }) => `${name} is not live`);
  }

  #differences(dashboards: readonly OpenDashboard[], alerts: number): string[] {
    const truths = new Map(this.#creators.map(({ creatorId, truth }) => [creatorId, truth]));
    return dashboards.flatMap((dashboard) => {
      const truth = truths.get(dashboard.creatorId);
      return truth === undefined ? [] : dashboard.differences(truth, alerts);
    });
  }

  /** Waits for what is open; then what is opened only now must show the same, and what was open still must. */
  async #drain(): Promise<string[]> {
    const left = await until(DRAIN_MS, () => this.#differences(this.#dashboards, MAX_KEPT));
    const late = this.#creators.map(({ creatorId }) => new OpenDashboard(this.#product, creatorId, "late dashboard"));
    const leftOfAll = await until(left.length === 0 ? DRAIN_MS : LATE_WHEN_WRONG_MS, () => [
      ...this.#differences(late, SNAPSHOT_ALERTS),
      ...this.#differences(this.#dashboards, MAX_KEPT),
    ]);
    late.forEach((dashboard) => dashboard.close());
    return leftOfAll;
  }

  /** Dead letters that are no garbage: a reader's restarts must never cost a good event. */
  async #wronglySetAside(sources: readonly string[]): Promise<string[]> {
    const complaints = sources.map(async (source) => {
      try {
        const letters = await this.#product.deadLetters(source);
        return letters
          .filter(({ value }) => !BusyCreator.isGarbage(value))
          .map(({ reason, value }) => `set aside for ${reason}: ${value.slice(0, 200)}`);
      } catch (error) {
        return [`the dead letters of ${source} cannot be listed: ${String(error)}`];
      }
    });
    return (await Promise.all(complaints)).flat();
  }
}

const POLL_MS = 100;

/**
 * Waits until nothing is left to say.
 * @returns what was left at the deadline
 */
async function until(deadlineMs: number, complaints: () => string[]): Promise<string[]> {
  const deadline = Date.now() + deadlineMs;
  for (let left = complaints(); ; left = complaints()) {
    if (left.length === 0 || Date.now() > deadline) {
      return left;
    }
    await setTimeout(POLL_MS);
  }
}
