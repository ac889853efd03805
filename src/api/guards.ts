// The steps before a creator's handler: whose token, how often, how much.
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { describeError } from "../runtime/log.ts";
import { authenticate, bearerOf } from "./authentication.ts";
import type { AppContext } from "./context.ts";
import { Problem } from "./problem.ts";

/** The rate limit's own period, which wrangler.toml sets. */
const RATE_LIMIT_PERIOD_SECONDS = 60;
/** No body of this API is longer than a few hundred bytes; the bound is the quality goals'. */
const MAX_BODY_BYTES = 16 * 1024;

/** Puts the verified creator on the context. */
export const authenticated = createMiddleware<AppContext>(async function authenticatedOnly(context, next) {
  const { configuration, clock } = context.get("services");
  const token = bearerOf(context.req.header("Authorization"));
  const creator = await authenticate(token, configuration.auth, clock.now());
  context.set("creator", creator);
  context.get("line")["creatorId"] = creator.creatorId;
  await next();
});

/** Refuses a creator who asks too often. A limiter that fails lets requests pass: it protects, it does not authorise. */
export const rateLimited = createMiddleware<AppContext>(async function rateLimitedByCreator(context, next) {
  await limitRate(context.env, context.get("creator").creatorId, context.get("line"));
  await next();
});

/**
 * Counts one request of a creator.
 * @throws Problem 429 when there were too many
 */
export async function limitRate(
  env: Pick<ApiEnv, "CREATOR_RATE_LIMIT">,
  creatorId: string,
  line: AppContext["Variables"]["line"],
): Promise<void> {
  let isWithin = true;
  try {
    isWithin = (await env.CREATOR_RATE_LIMIT.limit({ key: creatorId })).success;
  } catch (error) {
    line["rateLimitError"] = describeError(error);
  }
  if (!isWithin) {
    throw new Problem("rate_limited", "Too many requests; try again in a minute.", {
      headers: { "Retry-After": String(RATE_LIMIT_PERIOD_SECONDS) },
    });
  }
}

/** Refuses a body that is longer than any this API takes. */
export const boundedBody = bodyLimit({
  maxSize: MAX_BODY_BYTES,
  onError: () => {
    throw new Problem("too_large", `The body must be at most ${MAX_BODY_BYTES} bytes.`);
  },
});
