// The way to ClickHouse: one HTTP request a question, with one deadline for all questions of a client's request, bounded
// answers, and rows that are parsed before anyone sees them. Every failure is a StoreUnavailable.
import { ClickHouseError, ClickHouseLogLevel, createClient } from "@clickhouse/client-web";
import { z } from "zod";
import type { CreatorId } from "../../contract/ids.ts";
import type { Clock } from "../../runtime/clock.ts";
import { boundedBody } from "../bounded-body.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import type { CircuitBreaker } from "./circuit-breaker.ts";

/** Where ClickHouse is, and as whom to ask it: a user that can only read. */
export interface ClickHouseConnection {
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

/** A question with its parameters bound apart and the shape of its rows. */
export interface Question<Row> {
  /** For logs and for the server's own query log. */
  readonly operation: string;
  /** Bound as `creator_id`: no question is about every creator's numbers. Null for the few that are about nobody's. */
  readonly creatorId: CreatorId | null;
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string | number | readonly (string | number)[]>>;
  readonly row: z.ZodType<Row>;
}

/** How a question went. */
export interface AskedQuestion {
  readonly operation: string;
  readonly outcome: "answered" | "refused" | "unreachable" | "late" | "garbage" | "spared";
  readonly durationMs: number;
  /** Null where the server did not say. */
  readonly rowsRead: number | null;
}

/** Asks ClickHouse on behalf of one request. */
export interface Analytics {
  /** @throws StoreUnavailable */
  ask<Row>(question: Question<Row>): Promise<Row[]>;
}

/** All of a request's questions together (ours): with what else it does, the answer or the 503 is there within 2 s. */
const DEADLINE_MS = 1_500;
/** The longest answer, 745 hours of a series, has about 100 kB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** ClickHouse's codes for a server that is overloaded rather than one that refuses the query. */
const OVERLOADED = new Set(["159", "202", "203", "209", "210", "236", "241", "439"]);

/**
 * A client for one request; it opens nothing until it is asked.
 * @param options `breaker` is shared by all requests; `deadlineMs` runs from the first question on
 */
export function createAnalytics(
  connection: ClickHouseConnection,
  options: {
    breaker: CircuitBreaker;
    clock: Clock;
    deadlineMs?: number;
    observe?: (asked: AskedQuestion) => void;
  },
): Analytics {
  const { breaker, clock, deadlineMs = DEADLINE_MS, observe } = options;
  let deadline: AbortSignal | undefined;
  return {
    ask: async (question) => {
      const askedAt = clock.now();
      const tell = (outcome: AskedQuestion["outcome"], rowsRead: number | null = null) =>
        observe?.({ operation: question.operation, outcome, durationMs: clock.now() - askedAt, rowsRead });
      if (!breaker.allows()) {
        tell("spared");
        throw unavailable("was not asked after its recent failures");
      }
      deadline ??= AbortSignal.timeout(deadlineMs);
      try {
        const { rows, rowsRead } = await askOnce(connection, question, deadline);
        breaker.succeeded();
        tell("answered", rowsRead);
        return rows;
      } catch (error) {
        const { outcome, failure, isAlive } = failureOf(error, question.operation, deadline);
        if (isAlive) {
          breaker.succeeded();
        } else {
          breaker.failed();
        }
        tell(outcome);
        throw failure;
      }
    },
  };
}

async function askOnce<Row>(
  connection: ClickHouseConnection,
  question: Question<Row>,
  deadline: AbortSignal,
): Promise<{ rows: Row[]; rowsRead: number | null }> {
  let summary: string | null = null;
  const client = createClient({
    ...connection,
    log: { level: ClickHouseLogLevel.OFF },
    // Its own time-out ends with the headers, and its signals are unreliable: ours covers the body too.
    request_timeout: 2 * DEADLINE_MS,
    fetch: async (input, init) => {
      const signals = init?.signal ? [deadline, init.signal] : [deadline];
      const response = await fetch(input, { ...init, signal: AbortSignal.any(signals) });
      summary = response.headers.get("X-ClickHouse-Summary");
      return boundedBody(response, MAX_ANSWER_BYTES);
    },
    // Long lists of bucket boundaries leave the URL for the body.
    use_multipart_params_auto: true,
  });
  const result = await client.query({
    query: question.sql,
    query_params: { ...question.parameters, ...(question.creatorId !== null && { creator_id: question.creatorId }) },
    format: "JSON",
    clickhouse_settings: {
      // Whole answers with a true status; numbers beyond 2^53 intact; abandoned work stopped.
      wait_end_of_query: 1,
      output_format_json_quote_64bit_integers: 1,
      cancel_http_readonly_queries_on_client_close: 1,
      log_comment: question.operation,
    },
  });
  const answer: unknown = parseJson(await result.text());
  const rows = z.object({ data: z.array(question.row) }).safeParse(answer);
  if (!rows.success) {
    throw new Garbage("unexpected rows", rows.error);
  }
  return { rows: rows.data.data, rowsRead: rowsReadOf(summary) };
}

/** The answer is not what any server of ours says. */
class Garbage extends Error {
  override readonly name = "Garbage";
  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Garbage("no JSON", error);
  }
}

const summarySchema = z.object({ read_rows: z.string().regex(/^\d+$/) });

function rowsReadOf(summary: string | null): number | null {
  try {
    return Number(summarySchema.parse(JSON.parse(summary ?? "")).read_rows);
  } catch {
    return null;
  }
}

function failureOf(
  error: unknown,
  operation: string,
  deadline: AbortSignal,
): { outcome: AskedQuestion["outcome"]; failure: StoreUnavailable; isAlive: boolean } {
  if (error instanceof ClickHouseError) {
    const failure = unavailable(`refused ${operation} with code ${error.code}`, error);
    return { outcome: "refused", failure, isAlive: !OVERLOADED.has(error.code) };
  }
  if (error instanceof Garbage) {
    const failure = unavailable(`answered ${operation} with ${error.message}`, error);
    return { outcome: "garbage", failure, isAlive: false };
  }
  const outcome = deadline.aborted ? "late" : "unreachable";
  return { outcome, failure: unavailable(`${outcome} for ${operation}`, error), isAlive: false };
}

function unavailable(reason: string, cause?: unknown): StoreUnavailable {
  return new StoreUnavailable("clickhouse", reason, { retryable: true, cause });
}
