// The bridge: the Upstash Kafka REST contract in front of a Log, over HTTP.
import type { AddressInfo } from "node:net";
import type { Clock } from "../runtime/clock.ts";
import { createLog, describeError } from "../runtime/log.ts";
import type { Log as Logger } from "../runtime/log.ts";
import { createAuthenticator, readBasic } from "./credentials.ts";
import type { CredentialInput } from "./credentials.ts";
import { BridgeError } from "./errors.ts";
import { GroupInstances } from "./group-instances.ts";
import { groupRoutes } from "./group-routes.ts";
import { checkUrl, createRoutes, defaultLimits, endpointOf, errorAnswer } from "./http.ts";
import type { BridgeContext, BridgeLimits } from "./http.ts";
import { createListener } from "./listener.ts";
import type { Log } from "./log.ts";
import { metadataRoutes } from "./metadata-routes.ts";
import { BridgeMetrics } from "./metrics.ts";
import { metricsRoutes, probeRoutes } from "./operation-routes.ts";
import { PollGate, createLoginLimit, createRateLimit } from "./rate-limit.ts";
import { recordRoutes } from "./record-routes.ts";

export type { Credential, CredentialInput } from "./credentials.ts";
export type { BridgeLimits } from "./http.ts";

/** Settings of a bridge. */
export interface BridgeOptions {
  /** The log behind it; the bridge does not close it. */
  log: Log;
  /** 0: any free port. */
  port: number;
  /** Loopback unless told. */
  host?: string;
  credentials: readonly CredentialInput[];
  limits?: Partial<BridgeLimits>;
  /** Whether /webhook takes `?user=&pass=`; off unless told, since proxies and logs see them. */
  webhookQueryCredentials?: boolean;
  /** Silent unless given. */
  logger?: Logger;
  /** A log line for every request, not only for those that failed. */
  logRequests?: boolean;
  /** How long requests under way, and leaving groups, may take once the bridge closes, milliseconds; 10 s unless told. */
  drainMs?: number;
  clock?: Clock;
}

/** A running bridge. */
export interface Bridge {
  /** `http://host:port`, without a slash at the end. */
  url: string;
  /** Ends polls with what they have, lets the rest finish, leaves groups, and stops listening. */
  close(): Promise<void>;
}

/** How often idle consumer instances are looked for, milliseconds. */
const REAP_INTERVAL_MS = 5_000;

/** Measures spans of time: a machine's clock that is set back must not stop callers, or keep idle instances. */
const steadyClock: Clock = { now: () => performance.timeOrigin + performance.now() };

/** Starts a bridge and answers once it listens. Throws when the port is taken. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { log, host = "127.0.0.1", drainMs = 10_000, clock = steadyClock } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const logger = options.logger ?? createLog({ service: "bridge" }, () => undefined);
  const authenticate = createAuthenticator(options.credentials);
  const limitRate = createRateLimit(limits.requestsPerSecond, clock);
  const limitLogins = createLoginLimit(clock);
  const polls = new PollGate(limits.maxPolls);
  const instances = new GroupInstances(log, { clock, polls, maxInstances: limits.maxInstances });
  const metrics = new BridgeMetrics(log, clock, { polls: () => polls.inFlight, instances: () => instances.count });
  const parts = { log, limits, metrics, polls };
  const underWay = new Set<AbortController>();
  let isDraining = false;

  const claimOf = (c: BridgeContext) => {
    const header = c.req.header("authorization");
    const { user, pass } = c.req.query();
    const isByQuery = options.webhookQueryCredentials === true && endpointOf(c.req.path) === "webhook";
    return isByQuery && header === undefined && user !== undefined
      ? { username: user, password: pass ?? "" }
      : readBasic(header);
  };

  const app = createRoutes();
  app.onError((error, c) => {
    const answer = errorAnswer(c, error);
    const cause = error instanceof BridgeError ? error.cause : error;
    if (answer.status >= 500 || answer.status === 401 || answer.status === 403) {
      const fields = { endpoint: endpointOf(c.req.path), status: answer.status, reason: error.message.slice(0, 300) };
      const cut = cause === undefined ? {} : { cause: describeError(cause).slice(0, 500) };
      logger[answer.status >= 500 ? "error" : "warn"]("request.refused", { ...fields, ...cut });
    }
    return answer;
  });
  app.notFound((c) => errorAnswer(c, new BridgeError(404, `Not found: ${c.req.path}`)));
  app.route(
    "/",
    probeRoutes(parts, () => isDraining),
  );
  app.use(async (c, next) => {
    const started = performance.now();
    const ending = new AbortController();
    underWay.add(ending);
    if (isDraining) {
      ending.abort();
    }
    c.env.outgoing.once("close", () => {
      underWay.delete(ending);
      ending.abort();
    });
    c.set("ending", ending.signal);
    await next();
    if (isDraining) {
      c.header("Connection", "close");
    }
    const ms = performance.now() - started;
    const endpoint = endpointOf(c.req.path);
    metrics.answered(endpoint, c.res.status, ms / 1000);
    if (options.logRequests === true) {
      logger.info("request", { endpoint, status: c.res.status, ms: Math.round(ms) });
    }
  });
  app.use(async (c, next) => {
    checkUrl(c);
    const claim = claimOf(c);
    const caller = limitLogins(c.env.incoming.socket.remoteAddress, claim, authenticate);
    limitRate(caller.username);
    c.set("caller", caller);
    await next();
  });
  app.route("/", metricsRoutes(parts));
  for (const base of ["/", "/expect/:expectedTopicId"]) {
    app.route(base, recordRoutes(parts));
    app.route(base, metadataRoutes(parts));
    app.route(base, groupRoutes(parts, instances));
  }

  const server = createListener(app.fetch);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const reaper = setInterval(() => void instances.reap(), REAP_INTERVAL_MS).unref();

  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    close: async () => {
      isDraining = true;
      clearInterval(reaper);
      const deadline = AbortSignal.timeout(drainMs);
      underWay.forEach((request) => request.abort());
      const closed = new Promise((resolve) => server.close(resolve));
      const force = setTimeout(() => server.closeAllConnections(), drainMs);
      await closed;
      clearTimeout(force);
      await instances.close(deadline);
    },
  };
}
