// Two minutes of faults on the product as it runs in earnest: processes, engines, sockets. FAULTS_SEED repeats a run.
// Memory is not judged here: readers remember event ids for ten minutes, so for that long it rightly grows. `npm run soak`
// judges it.
import { expect, test } from "vitest";
import { playFaultRun } from "./fault-run.ts";

const DURATION_MS = 120_000;
/** So that each kind of kill is played at least once on two busy cores. */
const KILL_PAUSE_MS = 4_000;

test(
  "dashboards show exactly what was produced after two minutes of kills, restarts and cuts",
  { timeout: 600_000 },
  async () => {
    const seed = Number(process.env["FAULTS_SEED"] ?? Date.now() % 1_000_000);
    console.log(`faults: FAULTS_SEED=${seed}`);

    const report = await playFaultRun({
      seed,
      durationMs: DURATION_MS,
      killPauseMs: KILL_PAUSE_MS,
      progress: (line) => console.log(`faults: ${line}`),
    });

    console.log(`faults: ${JSON.stringify(report)}`);
    expect(report.failures).toEqual([]);
    // A run in which nothing went wrong shows nothing.
    const { killed, readersRestarted, socketsCut } = report.faults;
    expect(Math.min(killed.api, killed.consumer, killed.bridge, readersRestarted, socketsCut)).toBeGreaterThan(0);
  },
);
