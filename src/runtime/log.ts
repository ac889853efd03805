// Structured logs: one JSON object per line, the form Workers Logs and every collector read. The only user of `console`.

/** Levels as in RFC 5424's names, cut to the four in use. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Values a log line may carry. Never a token, a payload, a name or an address. */
export type LogFields = Record<string, string | number | boolean | null | undefined | readonly string[]>;

/** A logger that adds its own fields to every line. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger whose lines carry `fields` too. */
  with(fields: LogFields): Log;
}

/**
 * Makes a logger.
 * @param fields added to every line, such as `{ service: "api" }`
 * @param write receives each finished line; standard output unless told
 */
export function createLog(
  fields: LogFields,
  write: (line: string, level: LogLevel) => void = (line) => console.log(line),
): Log {
  const emit = (level: LogLevel, event: string, more?: LogFields) =>
    write(JSON.stringify({ level, event, ...fields, ...more }), level);
  return {
    debug: (event, more) => emit("debug", event, more),
    info: (event, more) => emit("info", event, more),
    warn: (event, more) => emit("warn", event, more),
    error: (event, more) => emit("error", event, more),
    with: (more) => createLog({ ...fields, ...more }, write),
  };
}

/** What an unknown thrown value says, for a log line; never for a client. */
export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
