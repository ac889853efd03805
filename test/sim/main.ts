// `npm run test:sim`: many simulated histories, each from a seed.
//
//   npm run test:sim                      2,000 seeds of 500 steps
//   npm run test:sim -- --seeds 10000     as many as you like; --from N, --steps N
//   npm run test:sim -- --seed 4711       one seed, with everything that happened in it
//   npm run test:sim -- --planted         planted bugs, each of which must be found within 1,000 seeds
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { plant, plantedBugs } from "./planted-bugs.ts";
import type { Outcome } from "./simulation.ts";

/** A planted bug must be found within so many seeds. */
const PLANTED_SEEDS = 1000;

interface Range {
  readonly from: number;
  readonly count: number;
  readonly every: number;
  readonly steps: number;
  /** The planted bug by its number; 0 for none. */
  readonly bug: number;
}

interface Findings {
  readonly seeds: number;
  readonly records: number;
  readonly publishes: number;
  readonly crashes: number;
  readonly failed: readonly Outcome[];
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "1" },
    steps: { type: "string", default: "500" },
    bug: { type: "string", default: "0" },
    planted: { type: "boolean", default: false },
  },
});

/** The product is loaded only after a bug has been planted in it. */
async function simulator() {
  const { simulate } = await import("./simulation.ts");
  return simulate;
}

async function runRange(range: Range): Promise<Findings> {
  if (range.bug > 0) {
    plant(range.bug);
  }
  const simulate = await simulator();
  let [seeds, records, publishes, crashes] = [0, 0, 0, 0];
  const failed: Outcome[] = [];
  for (let seed = range.from; seed < range.from + range.count; seed += range.every) {
    const outcome = await simulate(seed, range.steps);
    seeds++;
    records += outcome.records;
    publishes += outcome.publishes;
    crashes += outcome.crashes;
    if (outcome.violations.length > 0) {
      failed.push(outcome);
      if (range.bug > 0 || failed.length === 20) {
        break;
      }
    }
  }
  return { seeds, records, publishes, crashes, failed };
}

function inWorker(range: Range): Promise<Findings> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: range, argv: process.argv.slice(2) });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

async function runSeed(seed: number, steps: number, bug: number): Promise<boolean> {
  if (bug > 0) {
    plant(bug);
  }
  const simulate = await simulator();
  const outcome = await simulate(seed, steps, (line) => console.log(line));
  console.log(JSON.stringify(outcome, null, 2));
  return outcome.violations.length === 0;
}

async function runMany(from: number, count: number, steps: number): Promise<boolean> {
  const workers = Math.min(availableParallelism(), count);
  const started = performance.now();
  const parts = await Promise.all(
    Array.from({ length: workers }, (_, index) =>
      inWorker({ from: from + index, count: count - index, every: workers, steps, bug: 0 }),
    ),
  );
  const sum = (of: (part: Findings) => number) => parts.reduce((total, part) => total + of(part), 0);
  const failed = parts.flatMap((part) => part.failed).toSorted((a, b) => a.seed - b.seed);
  for (const { seed, violations } of failed) {
    console.log(`seed ${seed}: ${violations[0]}\n  again: npm run test:sim -- --seed ${seed} --steps ${steps}`);
  }
  console.log(
    JSON.stringify({
      simulation: "live pipeline",
      seeds: sum((part) => part.seeds),
      steps,
      records: sum((part) => part.records),
      publishes: sum((part) => part.publishes),
      crashes: sum((part) => part.crashes),
      failedSeeds: failed.length,
      seconds: Math.round((performance.now() - started) / 1000),
    }),
  );
  return failed.length === 0;
}

/** A bug is found by a seed that is right without it. */
async function findBug(number: number, steps: number): Promise<Outcome | undefined> {
  for (let from = 1; from <= PLANTED_SEEDS;) {
    const { failed } = await inWorker({ from, count: PLANTED_SEEDS + 1 - from, every: 1, steps, bug: number });
    const [first] = failed;
    if (!first) {
      return undefined;
    }
    const without = await inWorker({ from: first.seed, count: 1, every: 1, steps, bug: 0 });
    if (without.failed.length === 0) {
      return first;
    }
    from = first.seed + 1;
  }
  return undefined;
}

async function runPlanted(steps: number): Promise<boolean> {
  let found = 0;
  for (const { number, title } of plantedBugs) {
    const first = await findBug(number, steps);
    found += first ? 1 : 0;
    const verdict = first
      ? `found by seed ${first.seed}: ${first.violations[0]}`
      : `NOT FOUND in ${PLANTED_SEEDS} seeds`;
    console.log(`${number}. ${title}\n   ${verdict}`);
  }
  console.log(JSON.stringify({ planted: plantedBugs.length, found }));
  return found === plantedBugs.length;
}

if (isMainThread) {
  const [from, seeds, steps, bug] = [
    Number(values.from),
    Number(values.seeds),
    Number(values.steps),
    Number(values.bug),
  ];
  const isRight = values.planted
    ? await runPlanted(steps)
    : values.seed === undefined
      ? await runMany(from, seeds, steps)
      : await runSeed(Number(values.seed), steps, bug);
  process.exitCode = isRight ? 0 : 1;
} else {
  // What a worker is given is what the main thread above made.
  const findings = await runRange(workerData as Range);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port is not a window
  parentPort?.postMessage(findings);
}
