// One way to ask the service: with a fresh token, a deadline, and every failure turned into one of three errors.
import type { Shape } from "../live-client/shape.ts";
import { integer, Misshapen, object, text, type Shaped } from "../live-client/shape.ts";
import type { Session } from "../session/session.ts";

/** The service answers within 2 s by its own rule; the rest is a phone's network. */
const TIMEOUT_MS = 12_000;

const problemShape = object({
  title: text(),
  status: integer(400),
  code: text(),
  detail: text(),
  requestId: text(),
});

/** The service said no, as RFC 9457 has it. */
export class Refused extends Error {
  override name = "Refused";
  readonly problem: Shaped<typeof problemShape>;
  readonly retryAfterSeconds: number | null;

  constructor(problem: Shaped<typeof problemShape>, retryAfterSeconds: number | null) {
    super(problem.title);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer came, or none that can be understood. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
}

/** Nobody is signed in any more. */
export class SignedOut extends Error {
  override name = "SignedOut";
}

/**
 * Gets one answer of `/api/v1/creator/…`. Throws {@link Refused}, {@link NoAnswer} or {@link SignedOut}; an abort by
 * `signal` rejects with its reason.
 */
export async function get<T>(session: Session, path: string, shape: Shape<T>, signal: AbortSignal): Promise<T> {
  let response = await send(session, path, signal, false);
  if (response.status === 401) {
    response = await send(session, path, signal, true);
    if (response.status === 401) {
      session.end();
      throw new SignedOut();
    }
  }
  const body: unknown = await response.json().catch(() => undefined);
  signal.throwIfAborted();
  try {
    if (response.ok) {
      return shape(body, "");
    }
    throw new Refused(problemShape(body, ""), secondsOf(response.headers.get("Retry-After")));
  } catch (error) {
    if (error instanceof Misshapen) {
      throw new NoAnswer(`${path} answered ${response.status}; ${error.message}`, { cause: error });
    }
    throw error;
  }
}

async function send(session: Session, path: string, signal: AbortSignal, renew: boolean): Promise<Response> {
  try {
    const token = await session.accessToken(renew);
    if (token === null) {
      throw new SignedOut();
    }
    return await fetch(`/api/v1/creator/${path}`, {
      headers: { Authorization: `Bearer ${token}`, Accept: "application/json" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof SignedOut ? error : new NoAnswer(path, { cause: error });
  }
}

function secondsOf(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : null;
}
