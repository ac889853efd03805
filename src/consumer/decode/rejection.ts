// A record that is not taken: skipped because its type is unknown, or refused with the reason a dead letter will carry.
import type { z } from "zod";
import type { DeadLetter, DeadLetterReason, LogRecord } from "../ports.ts";

/** The longest value taken, in UTF-16 units: Kafka's usual limit of 1 MB for a message. */
export const MAX_VALUE_CHARS = 1_048_576;
/** How much of a refused value is kept (ours: an event is under 1,000, and a thousand of these stay under 64 MiB). */
export const MAX_DEAD_LETTER_CHARS = 32_768;
const MAX_DETAIL_CHARS = 300;

/** An event of a type this version does not know. */
export class Skipped {
  readonly type: string;
  constructor(type: string) {
    this.type = type;
  }
}

/** A record that does not fit. `detail` names what, never the value. A class, since a value may look like anything. */
export class Rejected {
  readonly reason: DeadLetterReason;
  readonly detail: string;
  constructor(reason: DeadLetterReason, detail: string) {
    this.reason = reason;
    this.detail = detail.slice(0, MAX_DETAIL_CHARS);
  }
}

/** Refuses what a schema refused, naming each field and its complaint. */
export function rejectFields(error: z.ZodError): Rejected {
  const complaints = error.issues.map((issue) => `${issue.path.join(".") || "value"}: ${issue.message}`);
  return new Rejected("invalid_field", complaints.join("; "));
}

/** The JSON object in a record's value, or why there is none. */
export function parseObject(value: string): Record<string, unknown> | Rejected {
  if (value.length > MAX_VALUE_CHARS) {
    return new Rejected("too_large", `${value.length} characters, at most ${MAX_VALUE_CHARS}`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return new Rejected("not_json", value === "" ? "empty value" : "value is not JSON");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return new Rejected("not_an_event", "value is not a JSON object");
  }
  // A JSON object: its keys are strings and its values unknown, which is all that the type says.
  return parsed as Record<string, unknown>;
}

/** The dead letter of a refused record. */
export function deadLetterOf(topicId: string, record: LogRecord, rejected: Rejected): DeadLetter {
  return {
    topicId,
    offset: record.offset,
    timestamp: record.timestamp,
    reason: rejected.reason,
    detail: rejected.detail,
    key: record.key.slice(0, MAX_DETAIL_CHARS),
    value: record.value.slice(0, MAX_DEAD_LETTER_CHARS),
    truncated: record.value.length > MAX_DEAD_LETTER_CHARS,
  };
}
