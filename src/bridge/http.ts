// What every route shares: the request's caller, body, deadline and expected topic; answers and errors as JSON.
import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import type { Context, Handler } from "hono";
import type { Caller, Verb } from "./credentials.ts";
import { BridgeError, badRequest, errorBody, tooLarge, topicChanged } from "./errors.ts";
import type { Log } from "./log.ts";
import type { BridgeMetrics } from "./metrics.ts";
import type { PollGate } from "./rate-limit.ts";

/** What a route finds in its context. */
export interface BridgeEnv {
  Bindings: HttpBindings;
  Variables: {
    caller: Caller;
    /** Ends when the client has gone or the server drains: long polls answer with what they have. */
    ending: AbortSignal;
  };
}
export type BridgeContext = Context<BridgeEnv>;

/** Bounds and times that an operator may set. */
export interface BridgeLimits {
  /** Largest request body, bytes. */
  maxBodyBytes: number;
  /** Largest value plus key plus headers of one record, bytes; Kafka's own default is 1 MiB. */
  maxMessageBytes: number;
  /** Most records, and bytes of JSON, in one answer. */
  maxFetchRecords: number;
  maxFetchBytes: number;
  /** Longest wait of a poll; proxies in front often give up after 30 s or more. */
  maxTimeoutMs: number;
  /** Requests per second and credential; twice as many at once. 0: no limit. */
  requestsPerSecond: number;
  /** Polls waiting at once, over all credentials. */
  maxPolls: number;
  /** Consumer instances at once, over all groups. */
  maxInstances: number;
}

export const defaultLimits: BridgeLimits = {
  maxBodyBytes: 8 * 1024 ** 2,
  maxMessageBytes: 1024 ** 2,
  maxFetchRecords: 10_000,
  maxFetchBytes: 4 * 1024 ** 2,
  maxTimeoutMs: 25_000,
  requestsPerSecond: 5_000,
  maxPolls: 1_000,
  maxInstances: 200,
};

/** What routes are made of. */
export interface RouteParts {
  log: Log;
  limits: BridgeLimits;
  metrics: BridgeMetrics;
  polls: PollGate;
}

/** A route group. */
export const createRoutes = () => new Hono<BridgeEnv>();

/** Registers a handler for some methods of a path; the other methods are a 405. */
export function route(
  app: Hono<BridgeEnv>,
  methods: readonly string[],
  path: string,
  handler: Handler<BridgeEnv>,
): void {
  const refuse = () => {
    throw new BridgeError(405, `Method not allowed: use ${methods.join(" or ")}`, { allow: methods });
  };
  // Hono takes HEAD for GET, and a GET here may produce and consume.
  app.on([...methods], path, (c, next) => (c.req.method === "HEAD" ? refuse() : handler(c, next)));
  app.all(path, refuse);
}

/** Throws a 400 for a URL that percent-encodes something other than UTF-8: it would be taken as it stands. */
export function checkUrl(c: BridgeContext): void {
  try {
    decodeURIComponent(c.env.incoming.url ?? "");
  } catch {
    throw badRequest("Invalid request: the URL is not percent-encoded UTF-8");
  }
}

/** The endpoints of the contract, as metrics and logs name them. */
const endpoints = new Set(
  "produce webhook fetch consume commit committed offsets topics consumers delete-consumer metrics".split(" "),
);

/** The endpoint of a path, without what a client chose: `other` for anything unknown. */
export function endpointOf(path: string): string {
  const name = /^(?:\/expect\/[^/]+)?\/([^/]+)/.exec(path)?.[1] ?? "";
  return endpoints.has(name) ? name : "other";
}

/** The topic id of an `/expect/{topicId}` base path. */
export function expectedTopicId(c: BridgeContext): string | undefined {
  return c.req.param("expectedTopicId");
}

/** Throws a 403 where the caller may not, and a 409 where a topic is not the one of the base path. */
export async function authorize(
  c: BridgeContext,
  log: Log,
  verb: Verb,
  topics: readonly string[],
  deadline: AbortSignal,
): Promise<void> {
  const names = [...new Set(topics)];
  c.get("caller").require(verb, names);
  const expected = expectedTopicId(c);
  if (expected === undefined) {
    return;
  }
  for (const name of names) {
    if ((await log.topic(name, deadline, { fresh: true }))?.topicId !== expected) {
      throw topicChanged(name, expected);
    }
  }
}

/**
 * The raw body, whatever the method: the contract's GET requests have bodies, which a web Request cannot have.
 * Throws a 413 as soon as it is too large.
 */
export async function readBody(c: BridgeContext, maxBytes: number): Promise<Buffer> {
  const { incoming } = c.env;
  const declared = Number(incoming.headers["content-length"] ?? 0);
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (declared <= maxBytes) {
    try {
      for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
        chunks.push(chunk as Buffer);
        bytes += (chunk as Buffer).length;
        if (bytes > maxBytes) {
          break;
        }
      }
    } catch (error) {
      // Nobody is there to be answered; it is no failure of ours.
      throw new BridgeError(400, "Invalid request: the body ended early", { cause: error });
    }
  }
  if (declared > maxBytes || bytes > maxBytes) {
    throw tooLarge(`Request too large: the body may have ${maxBytes} bytes`);
  }
  return Buffer.concat(chunks);
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** The JSON body; undefined when there is none. Throws a 400 for anything else. */
export async function readJson(c: BridgeContext, maxBytes: number): Promise<unknown> {
  const body = await readBody(c, maxBytes);
  if (body.length === 0) {
    return undefined;
  }
  try {
    return JSON.parse(strictUtf8.decode(body));
  } catch (error) {
    throw badRequest(
      `Invalid request: the body is not JSON (${error instanceof Error ? error.message : "unreadable"})`,
    );
  }
}

/** The answer to an error; anything that is not a BridgeError is ours, and says nothing. */
export function errorAnswer(c: BridgeContext, error: unknown): Response {
  const known = error instanceof BridgeError ? error : new BridgeError(500, "Internal error");
  if (known.status === 401) {
    c.header("WWW-Authenticate", `Basic realm="kafka", charset="UTF-8"`);
  }
  if (known.retryAfter !== undefined) {
    c.header("Retry-After", String(known.retryAfter));
  }
  if (known.allow !== undefined) {
    c.header("Allow", known.allow.join(", "));
  }
  if (known.status === 413) {
    // The rest of the body is not read.
    c.header("Connection", "close");
  }
  // A status is made by this folder only, and each has a body.
  return c.json(errorBody(known.status, known.message), known.status as 400);
}
