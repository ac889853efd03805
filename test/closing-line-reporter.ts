// Ends a test run with one plain line that any log reader understands: "N passed, N failed". Before it, a line for each
// group that was not run; its name says why.
import type { Reporter, TestModule } from "vitest/node";

/** Counts what ran, failed suites included. */
export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === "passed").length;
    const failed = tests.filter((test) => test.result().state === "failed").length;
    const brokenModules = modules.filter((module) => module.errors().length > 0).length;
    const skipped = modules
      .flatMap((module) => [...module.children.suites()])
      .filter((suite) => suite.options.mode === "skip")
      .map((suite) => `skipped: ${suite.name}\n`);
    process.stdout.write(skipped.join(""));
    process.stdout.write(`${passed} passed, ${failed + brokenModules + errors.length} failed\n`);
  }
}
