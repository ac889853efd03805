// The map of the HTTP side: what every request passes, then the routes.
import { Hono } from "hono";
import { cors } from "hono/cors";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { configurationOf } from "./configuration.ts";
import type { AppContext } from "./context.ts";
import { authenticated, boundedBody, rateLimited } from "./guards.ts";
import { healthz } from "./health.ts";
import { Problem, problemOf, problemResponse } from "./problem.ts";
import { requestLog } from "./request-log.ts";
import type { Route } from "./route.ts";
import { routes } from "./routes.ts";
import { createServices } from "./services.ts";

/** Longer request ids of clients are replaced. */
const MAX_REQUEST_ID_LENGTH = 64;
/** Two hours, the longest that browsers keep a preflight's answer. */
const PREFLIGHT_MAX_AGE_SECONDS = 7_200;

/** The app. Everything that it does depends on its arguments and the environment of each request. */
export function createApp({ clock, log }: { clock: Clock; log: Log }): Hono<AppContext> {
  const app = new Hono<AppContext>();

  app.use(requestId({ limitLength: MAX_REQUEST_ID_LENGTH }), requestLog(log, clock), securityHeaders);
  // Before the configuration is looked at: the process is alive even when it is configured wrongly.
  app.get(healthz.path, healthz.handle);
  app.use(async (context, next) => {
    context.set(
      "services",
      createServices(configurationOf(context.env), clock, log.with({ requestId: context.get("requestId") })),
    );
    await next();
  });
  app.use(crossOrigin);

  for (const route of routes) {
    const guards = route.access === "creator" ? [authenticated, rateLimited] : [];
    app.on(route.method.toUpperCase(), honoPath(route), boundedBody, ...guards, route.handle);
  }
  for (const [path, methods] of methodsByPath(routes)) {
    app.all(path, () => {
      throw new Problem("method_not_allowed", `This resource takes ${methods}.`, { headers: { Allow: methods } });
    });
  }

  app.notFound((context) =>
    problemResponse(new Problem("not_found", "There is nothing here."), context.get("requestId")),
  );
  app.onError((error, context) => problemResponse(problemOf(error), context.get("requestId")));
  return app;
}

/** Answers are data for programs: no browser may run, frame, sniff or keep them. /docs replaces the policy by its own. */
const securityHeaders = secureHeaders({
  overwrite: false,
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  // Other origins read by CORS, which names them.
  crossOriginResourcePolicy: "cross-origin",
  strictTransportSecurity: "max-age=63072000; includeSubDomains",
  xFrameOptions: "DENY",
});

const crossOrigin = cors({
  origin: (origin, context) =>
    configurationOf(context.env as ApiEnv).allowedOrigins.includes(origin) ? origin : undefined,
  allowMethods: ["GET", "HEAD", "PUT"],
  allowHeaders: ["Authorization", "Content-Type", "If-Match", "Idempotency-Key", "X-Request-Id"],
  exposeHeaders: ["ETag", "Retry-After", "WWW-Authenticate", "X-Request-Id"],
  maxAge: PREFLIGHT_MAX_AGE_SECONDS,
});

function honoPath({ path }: Pick<Route, "path">): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function methodsByPath(all: readonly Route[]): Map<string, string> {
  const byPath = Map.groupBy(all, honoPath);
  return new Map(
    [...byPath].map(([path, sharing]) => {
      const methods = sharing.map(({ method }) => method.toUpperCase());
      return [path, [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ")];
    }),
  );
}
