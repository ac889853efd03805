// Runs a stretch of seeds and says in words how to see a failing one again.
import { simulate } from "./simulation.ts";

/** Steps of each history in the test suite. */
export const STEPS = 500;

/** What failed among the seeds `from`, `from + 1`, … `from + count - 1`; after the fifth failure it stops. */
export async function failuresAmong(from: number, count: number): Promise<string[]> {
  const failures: string[] = [];
  for (let seed = from; seed < from + count && failures.length < 5; seed++) {
    const { violations } = await simulate(seed, STEPS);
    if (violations.length > 0) {
      failures.push(`seed ${seed}: ${violations[0]} (again: npm run test:sim -- --seed ${seed})`);
    }
  }
  return failures;
}
