// Why a hub does not accept a socket, as problem details before the upgrade.
import { problemCodes, type ProblemBody, type ProblemCode } from "../contract/problem.ts";

/** A creator with too many dashboards open may try again when one has been closed. */
const RETRY_AFTER_SECONDS = "30";

/** Answers a request that becomes no socket. The request id is the API Worker's, where it has sent one. */
export function refuse(code: ProblemCode, detail: string, request: Request): Response {
  const { status, title } = problemCodes[code];
  const requestId = request.headers.get("x-request-id") ?? crypto.randomUUID();
  const body: ProblemBody = { type: `/problems/${code.replaceAll("_", "-")}`, title, status, code, detail, requestId };
  const headers = new Headers({ "content-type": "application/problem+json" });
  if (status === 429) {
    headers.set("retry-after", RETRY_AFTER_SECONDS);
  }
  if (status === 426) {
    headers.set("upgrade", "websocket");
  }
  return new Response(JSON.stringify(body), { status, headers });
}
