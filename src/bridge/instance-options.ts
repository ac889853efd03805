// What a consumer instance is created with: the headers of the contract, their bounds and defaults.
import { badRequest } from "./errors.ts";

/** What the headers of the creating request may set. */
export interface InstanceOptions {
  autoCommit: boolean;
  autoCommitIntervalMs: number;
  autoOffsetReset: "earliest" | "latest" | "none";
  /** An instance that nobody asked for so long is closed. */
  sessionTimeoutMs: number;
}

/** The settings in the headers of a creating request; the contract's defaults. Throws a 400 for values it does not know. */
export function instanceOptions(header: (name: string) => string | undefined): InstanceOptions {
  const number = (name: string, byDefault: number, least: number, most: number) => {
    const value = Number(header(name) ?? byDefault);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw badRequest(`Invalid request: ${name}: ${least} to ${most} milliseconds`);
    }
    return value;
  };
  const autoCommit = header("Kafka-Enable-Auto-Commit") ?? "true";
  if (autoCommit !== "true" && autoCommit !== "false") {
    throw badRequest("Invalid request: Kafka-Enable-Auto-Commit: true or false");
  }
  const reset = header("Kafka-Auto-Offset-Reset") ?? "latest";
  if (reset !== "earliest" && reset !== "latest" && reset !== "none") {
    throw badRequest("Invalid request: Kafka-Auto-Offset-Reset: earliest, latest or none");
  }
  return {
    autoCommit: autoCommit === "true",
    autoCommitIntervalMs: number("Kafka-Auto-Commit-Interval", 5_000, 0, 3_600_000),
    autoOffsetReset: reset,
    sessionTimeoutMs: number("Kafka-Session-Timeout-Ms", 120_000, 1_000, 1_800_000),
  };
}
