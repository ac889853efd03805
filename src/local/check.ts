// `npm run check`: format, lint (type-aware, with the import rules), types, generated types. Runs all, then reports.
import { spawnSync } from "node:child_process";

const steps: [name: string, command: string, ...args: string[]][] = [
  ["format", "oxfmt", "--check"],
  ["lint", "oxlint", "--type-aware", "--report-unused-disable-directives", "--deny-warnings"],
  ["types: workerd", "tsc", "-p", "src/tsconfig.workerd.json"],
  ["types: node", "tsc", "-p", "src/tsconfig.node.json"],
  ["types: page", "tsc", "-p", "src/dashboard/tsconfig.json"],
  ["types: tests", "tsc", "-p", "test/tsconfig.json"],
  ["types: tests in workerd", "tsc", "-p", "test/worker/tsconfig.json"],
  ["binding types", process.execPath, "src/local/binding-types.ts", "--check"],
];

const failed = steps.filter(([name, command, ...args]) => {
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return status !== 0;
});
process.exit(failed.length === 0 ? 0 : 1);
