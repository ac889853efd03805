// Ends a test run with one plain line that any log reader understands: "N passed, N failed".
import type { Reporter, TestModule } from "vitest/node";

/** Counts what ran, failed suites included. */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === "passed").length;
    const failed = tests.filter((test) => test.result().state === "failed").length;
    const brokenModules = modules.filter((module) => module.errors().length > 0).length;
    process.stdout.write(`${passed} passed, ${failed + brokenModules + errors.length} failed\n`);
  }
}
