// Is the process there, and are the things it needs?
import { z } from "zod";
import { describeError } from "../runtime/log.ts";
import { pingClickHouse } from "../store/clickhouse/ping.ts";
import { pingPostgres } from "../store/postgres/ping.ts";
import type { Route } from "./route.ts";
import { publicRoute } from "./route.ts";
import type { Services } from "./services.ts";

/** A probe's own patience, shorter than any prober's (ours). */
const PROBE_DEADLINE_MS = 2_000;
/** Nobody outside may turn probes into load: an isolate asks its dependencies at most once in this time (ours). */
const PROBE_CACHE_MS = 1_000;

/** `GET /healthz`: the process. Looks at no configuration and no dependency. */
export const healthz: Route = {
  method: "get",
  path: "/healthz",
  access: "public",
  operation: {
    tags: ["Service"],
    summary: "Whether the process is alive",
    responses: {
      200: {
        description: "It is.",
        content: { "application/json": { schema: z.object({ status: z.literal("ok") }) } },
      },
    },
  },
  handle: (context) => context.json({ status: "ok" }, 200, { "Cache-Control": "no-store" }),
};

const dependencySchema = z.object({
  status: z.enum(["ok", "unavailable"]),
  durationMs: z.number().min(0).meta({ description: "How long the probe took." }),
});
const readinessSchema = z.object({
  status: z.enum(["ready", "degraded"]).meta({ description: "degraded: what needs the others still works." }),
  checkedAt: z.iso.datetime(),
  dependencies: z.record(z.string(), dependencySchema),
});
type Readiness = z.infer<typeof readinessSchema>;

/** What is probed, by the name it is shown under. A probe resolves when its dependency answers as it should. */
const probes: Record<string, (services: Services, signal: AbortSignal) => Promise<unknown>> = {
  postgres: ({ postgres }) => pingPostgres(postgres),
  clickhouse: ({ analytics }) => pingClickHouse(analytics),
  issuer: async ({ configuration }, signal) => {
    const response = await fetch(configuration.auth.jwksUrl, { signal });
    z.object({ keys: z.array(z.unknown()).min(1) }).parse(await response.json());
  },
};

let latest: { readiness: Readiness; atMs: number; of: Services["configuration"] } | undefined;

/** `GET /readyz`: each dependency with its state; 503 unless all of them answer. */
export const readyz = publicRoute({
  path: "/readyz",
  tag: "Service",
  summary: "Whether each dependency answers",
  answers: {
    200: { description: "All of them do.", schema: readinessSchema },
    503: { description: "Some do not; each is named.", schema: readinessSchema },
  },
  handle: async (services, line) => {
    const nowMs = services.clock.now();
    if (latest === undefined || latest.of !== services.configuration || nowMs - latest.atMs >= PROBE_CACHE_MS) {
      latest = { readiness: await probeAll(services, line), atMs: nowMs, of: services.configuration };
    }
    return { status: latest.readiness.status === "ready" ? 200 : 503, answer: latest.readiness };
  },
});

async function probeAll(services: Services, line: Record<string, unknown>): Promise<Readiness> {
  const { clock } = services;
  const results = await Promise.all(
    Object.entries(probes).map(async ([name, probe]) => {
      const startedMs = clock.now();
      const isOk = await within(PROBE_DEADLINE_MS, (signal) => probe(services, signal)).then(
        () => true,
        (error: unknown) => {
          line[`${name}Error`] = describeError(error);
          return false;
        },
      );
      const status: "ok" | "unavailable" = isOk ? "ok" : "unavailable";
      return [name, { status, durationMs: clock.now() - startedMs }] as const;
    }),
  );
  return {
    status: results.every(([, { status }]) => status === "ok") ? "ready" : "degraded",
    checkedAt: new Date(clock.now()).toISOString(),
    dependencies: Object.fromEntries(results),
  };
}

/** The outcome of work, or a rejection once its time is up, even when the work does not heed the signal. */
function within<Result>(limitMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const signal = AbortSignal.timeout(limitMs);
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error(`no answer within ${limitMs} ms`)), { once: true });
  });
  return Promise.race([work(signal), late]);
}
