// `npm run soak -- [--minutes N] [--seed S]` plays the fault run for half an hour, or N minutes, and judges memory too,
// where there is enough of it (from about 20 minutes on): while a Worker is not killed (the API Worker in the first third
// of the run, the consumer in the rest), after it has warmed up, the last third's median of its isolate is at most
// 1.05 × the first third's.
import { parseArgs } from "node:util";
import { playFaultRun } from "./fault-run.ts";

/** Above the noise of a heap that is collected now and then, below a leak that would matter within a day. */
const MOST_GROWTH = 1.05;
const KILL_PAUSE_MS = 20_000;
/** A shorter run has too few samples to judge by. */
const MINUTES_FOR_MEMORY = 20;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes >= 2 && minutes <= 1_440) || !Number.isSafeInteger(seed) || seed < 0) {
  console.error("Usage: npm run soak -- [--minutes 2 to 1440] [--seed a whole number]");
  process.exit(1);
}
console.error(`soak: ${minutes} minutes; npm run soak -- --minutes ${minutes} --seed ${seed} repeats it`);
const report = await playFaultRun({
  seed,
  durationMs: minutes * 60_000,
  killPauseMs: KILL_PAUSE_MS,
  progress: (line) => console.error(`soak: ${line}`),
});
const growth = report.memory
  .filter(({ ratio }) => ratio !== null && ratio > MOST_GROWTH)
  .map(({ part, ratio }) => `the memory of the ${part} Worker grew to ${ratio} times itself`);
const unknown = report.memory
  .filter(({ ratio }) => ratio === null && minutes >= MINUTES_FOR_MEMORY)
  .map(({ part }) => `the memory of the ${part} Worker could not be measured`);
const failures = [...report.failures, ...growth, ...unknown];
for (const failure of failures) {
  console.error(`soak: ${failure}`);
}
console.log(JSON.stringify({ soak: failures.length === 0 ? "passed" : "failed", ...report, failures }));
process.exitCode = failures.length === 0 ? 0 : 1;
