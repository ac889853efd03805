// The way to Postgres: Neon's HTTP driver with a deadline, bounded answers and rows that are parsed before anyone sees
// them. A failure is a StoreUnavailable, except a statement that Postgres itself refused, which is a PostgresRefusal.
import { neon, NeonDbError, neonConfig } from "@neondatabase/serverless";
import { z } from "zod";
import { StoreUnavailable } from "../store-unavailable.ts";
import { pointDriverAt } from "./neon-address.ts";

/** Where the database is. `endpoint` is a Neon-protocol `/sql` address for a database that is not on Neon. */
export interface PostgresConnection {
  readonly connectionString: string;
  readonly endpoint?: string | undefined;
}

/** A statement with its parameters bound apart and the shape of its rows. */
export interface Statement<Row> {
  /** For logs: the question that it answers. */
  readonly name: string;
  readonly text: string;
  readonly parameters: readonly Parameter[];
  readonly row: z.ZodType<Row>;
}

/** What a parameter may be; the driver sends arrays as Postgres arrays. */
export type Parameter = string | number | boolean | null | readonly string[];

type RowsOf<Statements extends readonly Statement<unknown>[]> = {
  [Index in keyof Statements]: Statements[Index] extends Statement<infer Row> ? Row[] : never;
};

/** A database client: one round trip a call. */
export interface Postgres {
  /**
   * Reads in one consistent snapshot. Asked once more when the database could not be reached or failed by itself.
   * @throws StoreUnavailable
   */
  read<const Statements extends readonly Statement<unknown>[]>(statements: Statements): Promise<RowsOf<Statements>>;
  /**
   * Runs statements in one transaction, each seeing what was committed before it began. Never repeated: after a
   * StoreUnavailable the outcome is unknown.
   * @throws StoreUnavailable, PostgresRefusal
   */
  write<const Statements extends readonly Statement<unknown>[]>(statements: Statements): Promise<RowsOf<Statements>>;
}

/** Postgres ran a statement and refused it. `code` is the SQLSTATE. */
export class PostgresRefusal extends Error {
  override readonly name = "PostgresRefusal";
  readonly code: string;

  constructor(code: string, message: string, cause: unknown) {
    super(`${code}: ${message}`, { cause });
    this.code = code;
  }
}

/** For a whole call, a second attempt included (ours): an idle Neon compute wakes in under one second. */
const DEADLINE_MS = 3_000;
/** Neon's own bound on a response. More than that is no answer to any question asked here. */
const MAX_ANSWER_BYTES = 10 * 1024 * 1024;
/**
 * SQLSTATE classes by which a server says that it cannot serve now: connection, a replica that takes no writes, login,
 * database, rolled back, resources, operator or cancelled, system, internal.
 */
const UNAVAILABLE_CLASSES = new Set(["08", "25", "28", "3D", "40", "53", "57", "58", "XX"]);

neonConfig.fetchFunction = boundedFetch;
// Every query of ours is meant for a server; the tests' browser-like runtime would be warned about.
neonConfig.disableWarningInBrowsers = true;

/** A client. Cheap: it opens nothing until it is asked. `deadlineMs` bounds each call as a whole. */
export function createPostgres(connection: PostgresConnection, deadlineMs: number = DEADLINE_MS): Postgres {
  const sql = neon(connection.connectionString);

  const run = async (statements: readonly Statement<unknown>[], isReadOnly: boolean, signal: AbortSignal) => {
    const queries = statements.map(({ text, parameters }) => sql.query(text, [...parameters]));
    pointDriverAt(connection);
    const results: unknown = await sql.transaction(queries, {
      fetchOptions: { signal },
      isolationLevel: isReadOnly ? "RepeatableRead" : "ReadCommitted",
      readOnly: isReadOnly,
    });
    return results;
  };

  const call = async <Statements extends readonly Statement<unknown>[]>(
    statements: Statements,
    isReadOnly: boolean,
  ) => {
    const signal = AbortSignal.timeout(deadlineMs);
    let results: unknown;
    try {
      results = await run(statements, isReadOnly, signal);
    } catch (error) {
      const failure = failureOf(error);
      if (!isReadOnly || !(failure instanceof StoreUnavailable) || !failure.retryable || signal.aborted) {
        throw failure;
      }
      results = await run(statements, isReadOnly, signal).catch((again: unknown) => {
        throw failureOf(again);
      });
    }
    return parseResults(statements, results);
  };

  return {
    read: (statements) => call(statements, true),
    write: (statements) => call(statements, false),
  };
}

/** Rows by their schemas; anything else is garbage, and no answer. */
function parseResults<Statements extends readonly Statement<unknown>[]>(
  statements: Statements,
  results: unknown,
): RowsOf<Statements> {
  const whole = z.array(z.array(z.unknown())).length(statements.length).safeParse(results);
  if (!whole.success) {
    throw new StoreUnavailable("postgres", "answered another number of results", { retryable: false });
  }
  const parsed = statements.map((statement, index) => {
    const rows = z.array(statement.row).safeParse(whole.data[index]);
    if (!rows.success) {
      throw new StoreUnavailable("postgres", `answered ${statement.name} with unexpected rows`, {
        retryable: false,
        cause: rows.error,
      });
    }
    return rows.data;
  });
  // One parsed array for each statement, in their order, as the mapped type says.
  return parsed as RowsOf<Statements>;
}

function failureOf(error: unknown): StoreUnavailable | PostgresRefusal {
  if (!(error instanceof NeonDbError)) {
    return new StoreUnavailable("postgres", "answered what is no answer", { retryable: false, cause: error });
  }
  if (error.code === undefined || UNAVAILABLE_CLASSES.has(error.code.slice(0, 2))) {
    // A deadline that has passed leaves no time for a second attempt.
    const isLate = error.sourceError?.name === "TimeoutError";
    return new StoreUnavailable("postgres", isLate ? "did not answer in time" : "could not be reached", {
      retryable: !isLate,
      cause: error,
    });
  }
  return new PostgresRefusal(error.code, error.message, error);
}

/** `fetch`, whose answer fails when it grows beyond what a database may say. */
async function boundedFetch(address: string, init: RequestInit): Promise<Response> {
  const response = await fetch(address, init);
  if (response.body === null) {
    return response;
  }
  let bytes = 0;
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes > MAX_ANSWER_BYTES) {
          controller.error(new RangeError(`more than ${MAX_ANSWER_BYTES} bytes`));
        } else {
          controller.enqueue(chunk);
        }
      },
    }),
  );
  return new Response(bounded, { status: response.status, headers: response.headers });
}
