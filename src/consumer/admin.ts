// The consumer's admin routes, behind their own secret: how the readers fare, and what they set aside.
import { Hono } from "hono";
import { z } from "zod";
import { sourceSchema } from "../contract/ids.ts";
import { LIVE_RPC_VERSION } from "../contract/live-rpc.ts";
import { watchList } from "../creator-hub/stubs.ts";
import { withDeadline } from "../runtime/deadline.ts";
import { describeError } from "../runtime/log.ts";
import { systemTimers } from "../runtime/timers.ts";
import { MAX_LISTED } from "./workerd/reader-records.ts";

/** The supervisor's name: there is one. */
export const SUPERVISOR = "supervisor";

/** An object that says nothing for so long must not hide what the others say (ours). */
const CALL_DEADLINE_MS = 5_000;

const reasonSchema = z.string().max(40).optional();
const listQuerySchema = z.object({
  source: sourceSchema,
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(100),
  reason: reasonSchema,
});
const replayBodySchema = z.object({
  source: sourceSchema,
  ids: z.array(z.number().int().min(1)).max(10_000).optional(),
  reason: reasonSchema,
});
const readerBodySchema = z.object({ source: sourceSchema });

type Routes = { Bindings: ConsumerEnv };

/** The consumer Worker's HTTP routes. */
export const adminRoutes = new Hono<Routes>();

adminRoutes.get("/healthz", (c) => c.json({ status: "ok" }));

adminRoutes.use("/admin/*", async (c, next) => {
  const token = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  if (c.env.ADMIN_TOKEN === "" || !(await isSame(token, c.env.ADMIN_TOKEN))) {
    return c.json({ error: "unauthenticated" }, 401, { "WWW-Authenticate": "Bearer" });
  }
  await next();
  return undefined;
});

adminRoutes.get("/admin/status", async (c) => {
  const sources = await supervisor(c.env).sources();
  const readers = await Promise.all(
    sources.map(async (source) => {
      try {
        const reader = c.env.PARTITION_READER.getByName(source);
        return { source, ...(await withDeadline(systemTimers, CALL_DEADLINE_MS, () => reader.report())) };
      } catch (error) {
        return { source, error: describeError(error) };
      }
    }),
  );
  return c.json({ v: LIVE_RPC_VERSION, readers, watchList: await watchListStatus(c.env) });
});

adminRoutes.get("/admin/dead-letters", async (c) => {
  const query = listQuerySchema.safeParse(c.req.query());
  if (!query.success) {
    return c.json({ error: z.prettifyError(query.error) }, 400);
  }
  const { source, after, limit, reason } = query.data;
  const reader = c.env.PARTITION_READER.getByName(source);
  return c.json({ source, items: await reader.deadLetters(after, limit, reason) });
});

adminRoutes.post("/admin/dead-letters/replay", async (c) => {
  const body = replayBodySchema.safeParse(await c.req.json().catch(() => undefined));
  if (!body.success) {
    return c.json({ error: z.prettifyError(body.error) }, 400);
  }
  const { source, ids, reason } = body.data;
  const { replayed, cut } = await c.env.PARTITION_READER.getByName(source).replayDeadLetters({ ids, reason });
  return c.json({ source, replayed, cut });
});

adminRoutes.post("/admin/readers/:action{reset|restart}", async (c) => {
  const body = readerBodySchema.safeParse(await c.req.json().catch(() => undefined));
  if (!body.success) {
    return c.json({ error: z.prettifyError(body.error) }, 400);
  }
  const reader = c.env.PARTITION_READER.getByName(body.data.source);
  if (c.req.param("action") === "reset") {
    await reader.reset();
  } else {
    // An object that resets itself cannot answer: the failed call is the answer.
    await reader.restart().catch(() => undefined);
  }
  return c.json({ source: body.data.source });
});

adminRoutes.post("/admin/supervise", async (c) => c.json(await supervisor(c.env).round()));

adminRoutes.notFound((c) => c.json({ error: "not found" }, 404));
adminRoutes.onError((error, c) => c.json({ error: describeError(error) }, 500));

/** The one supervisor. */
export function supervisor(env: ConsumerEnv) {
  return env.SUPERVISOR.getByName(SUPERVISOR);
}

async function watchListStatus(env: ConsumerEnv) {
  try {
    return await withDeadline(systemTimers, CALL_DEADLINE_MS, () => watchList(env).status());
  } catch (error) {
    return { error: describeError(error) };
  }
}

const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));

/** Compares digests, which are of one length, in constant time. */
async function isSame(given: string, wanted: string): Promise<boolean> {
  const [a, b] = await Promise.all([digest(given), digest(wanted)]);
  return crypto.subtle.timingSafeEqual(a, b);
}
