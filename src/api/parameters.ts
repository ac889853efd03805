// Requests are parsed strictly: whatever is wrong with one is a problem that names it, never a silent default.
import { z } from "zod";
import type { ParameterFault } from "./problem.ts";
import { invalidParameter, Problem } from "./problem.ts";
import { resolveTimeRange, type TimeRange, type TimeRangeQuery } from "../contract/time-range.ts";
import type { Creator } from "./authentication.ts";
import type { Clock } from "../runtime/clock.ts";

/** The faults of a failed parse, one for each parameter or member. */
function faultsOf(error: z.ZodError, whole: string): ParameterFault[] {
  return error.issues.flatMap((issue): ParameterFault[] => {
    const path = issue.path.join(".");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        parameter: path === "" ? key : `${path}.${key}`,
        message: "is not a parameter here",
      }));
    }
    return [{ parameter: path === "" ? whole : path, message: issue.message }];
  });
}

/**
 * The query of a URL by its schema.
 * @throws Problem 400 for an unknown, repeated or malformed parameter
 */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, url: string): z.output<Schema> {
  const given = new URL(url).searchParams;
  const repeated = [...new Set(given.keys())].filter((name) => given.getAll(name).length > 1);
  if (repeated.length > 0) {
    throw invalidParameter(repeated.map((parameter) => ({ parameter, message: "is given more than once" })));
  }
  return parseParameters(schema, Object.fromEntries(given));
}

/**
 * Parameters of a path or query by their schema.
 * @throws Problem 400 naming each one at fault
 */
export function parseParameters<Schema extends z.ZodType>(schema: Schema, values: unknown): z.output<Schema> {
  const result = schema.safeParse(values);
  if (!result.success) {
    throw invalidParameter(faultsOf(result.error, "query"));
  }
  return result.data;
}

/**
 * A JSON body by its schema.
 * @throws Problem 415 for another media type, 400 for what is not JSON, 422 for JSON that does not fit
 */
export async function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  request: { header(name: string): string | undefined; text(): Promise<string> },
): Promise<z.output<Schema>> {
  const mediaType = request.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw new Problem("unsupported_media_type", "The body must be application/json.");
  }
  const result = schema.safeParse(parseJson(await request.text()));
  if (!result.success) {
    const errors = faultsOf(result.error, "body");
    const detail = errors.map(({ parameter, message }) => `${parameter}: ${message}`).join("; ");
    throw new Problem("unprocessable", detail, { errors });
  }
  return result.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidParameter([{ parameter: "body", message: "is not JSON" }]);
  }
}

/**
 * The time range that a query asks for, in the reader's zone and at this instant.
 * @throws Problem 400 naming the parameter at fault
 */
export function rangeOf(query: TimeRangeQuery, creator: Creator, clock: Clock): TimeRange {
  try {
    return resolveTimeRange(query, { nowMs: clock.now(), defaultTimeZone: creator.zoneinfo });
  } catch (error) {
    throw error instanceof z.ZodError ? invalidParameter(faultsOf(error, "query")) : error;
  }
}
