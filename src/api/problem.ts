// Errors on their way out: every failure becomes one RFC 9457 body from the table in the contract, and nothing that an
// upstream or a stack said reaches a client.
import { problemCodes, type ProblemBody, type ProblemCode } from "../contract/problem.ts";
import { CursorError } from "../store/postgres/cursor.ts";
import { StoreUnavailable } from "../store/store-unavailable.ts";

/** Seconds after which a client may try a store again (ours): a Neon compute wakes within one, a restart takes a few. */
const STORE_RETRY_SECONDS = 5;

/** One query, path or body member at fault. */
export interface ParameterFault {
  parameter: string;
  message: string;
}

/** A failure that a client may know about. Throw it anywhere below the app. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly errors: readonly ParameterFault[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;

  /**
   * `detail`, `errors`, `headers` and `members` (further members of the body) are shown to the client; `cause` is only
   * logged.
   */
  constructor(
    code: ProblemCode,
    detail: string,
    options: {
      errors?: readonly ParameterFault[];
      headers?: Record<string, string>;
      members?: Record<string, unknown>;
      cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
  }
}

/** A 400 that names what is wrong with the request. */
export function invalidParameter(errors: readonly ParameterFault[]): Problem {
  const detail = errors.map(({ parameter, message }) => `${parameter}: ${message}`).join("; ");
  return new Problem("invalid_parameter", detail, { errors });
}

/** The problem that any thrown value is. What we do not know gives a fixed text. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  if (error instanceof StoreUnavailable) {
    return storeProblem(error);
  }
  if (error instanceof CursorError) {
    return invalidParameter([{ parameter: "cursor", message: error.message }]);
  }
  return new Problem("internal", "Something went wrong on our side. The request id finds it in our logs.", {
    cause: error,
  });
}

const storeProblems = {
  postgres: {
    code: "storage_unavailable",
    detail: "Content, revenue and payout settings cannot be read or changed right now.",
  },
  clickhouse: { code: "analytics_unavailable", detail: "Analytics cannot be read right now." },
} as const;

/** The 503 of an unavailable store; `members` are added to the body. */
export function storeProblem(error: StoreUnavailable, members: Record<string, unknown> = {}): Problem {
  const { code, detail } = storeProblems[error.store];
  const headers = { "Retry-After": String(STORE_RETRY_SECONDS) };
  return new Problem(code, detail, { headers, members, cause: error });
}

/** The response of a problem. */
export function problemResponse(problem: Problem, requestId: string): Response {
  const { status, title } = problemCodes[problem.code];
  const body: ProblemBody = {
    ...problem.members,
    type: `/problems/${problem.code.replaceAll("_", "-")}`,
    title,
    status,
    code: problem.code,
    detail: problem.message,
    ...(problem.errors && { errors: [...problem.errors] }),
    requestId,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...problem.headers, "Content-Type": "application/problem+json", "Cache-Control": "no-store" },
  });
}
