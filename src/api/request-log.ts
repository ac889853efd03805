// One wide line for each request, filled by the steps it passes and written when it is over.
import { createMiddleware } from "hono/factory";
import type { Clock } from "../runtime/clock.ts";
import { describeError, type Log, type LogFields } from "../runtime/log.ts";
import type { AppContext } from "./context.ts";
import { problemOf } from "./problem.ts";

/** A cause's text is cut here: an upstream may answer with a whole page. */
const MAX_CAUSE_LENGTH = 500;
/** Causes of causes beyond these tell nothing new. */
const MAX_CAUSES = 4;

/** Writes the line. The path is logged, the query never: it is the client's. */
export function requestLog(log: Log, clock: Clock) {
  return createMiddleware<AppContext>(async function requestLogged(context, next) {
    const startedMs = clock.now();
    const line: LogFields = {};
    context.set("line", line);
    await next();
    const { status } = context.res;
    const fields: LogFields = {
      requestId: context.get("requestId"),
      method: context.req.method,
      path: context.req.path,
      status,
      durationMs: clock.now() - startedMs,
      ...line,
      ...(context.error && failureFields(context.error)),
    };
    if (status >= 500) {
      log.error("request", fields);
    } else {
      log.info("request", fields);
    }
  });
}

function failureFields(error: unknown): LogFields {
  const problem = problemOf(error);
  const causes: string[] = [];
  for (let cause = problem.cause; cause instanceof Error && causes.length < MAX_CAUSES; cause = cause.cause) {
    causes.push(describeError(cause).slice(0, MAX_CAUSE_LENGTH));
  }
  return { code: problem.code, ...(causes.length > 0 && { causes }) };
}
