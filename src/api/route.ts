// A route is a value: what it takes and answers as schemas, and the function between. The app registers routes, and the
// OpenAPI document describes them, from the same values, so that neither can say what the other does not do.
import type { Context } from "hono";
import { z } from "zod";
import type { ZodOpenApiOperationObject, ZodOpenApiResponsesObject } from "zod-openapi";
import { problemCodes, problemSchema, type ProblemCode } from "../contract/problem.ts";
import type { Creator } from "./authentication.ts";
import type { AppContext } from "./context.ts";
import { parseBody, parseParameters, parseQuery } from "./parameters.ts";
import { invalidParameter } from "./problem.ts";
import type { Services } from "./services.ts";

/** A registered operation. */
export interface Route {
  readonly method: "get" | "put";
  /** With OpenAPI's braces: `/things/{thingId}`. */
  readonly path: string;
  /** `creator` routes see a verified creator and count against their rate limit; `public` ones see nobody. */
  readonly access: "creator" | "public";
  readonly operation: ZodOpenApiOperationObject;
  readonly handle: (context: Context<AppContext>) => Promise<Response> | Response;
}

/** What a handler of a creator route is given, all of it parsed. */
export interface RouteInput<Query, Params, Body> {
  readonly query: Query;
  readonly params: Params;
  readonly body: Body;
  /** A request header, undefined when absent. */
  readonly header: (name: string) => string | undefined;
  readonly creator: Creator;
  readonly services: Services;
  readonly requestId: string;
  readonly env: ApiEnv;
  /** Work that outlives the response; its failure is the promise's own to handle. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** What a handler gives back: the answer, and headers beside it. */
export interface RouteOutput<Answer> {
  readonly answer: Answer;
  readonly headers?: Record<string, string>;
}

const nothing = z.strictObject({});
const noBody = z.undefined();

/** Problems that every creator route can answer. */
const creatorProblems = [
  "invalid_parameter",
  "unauthenticated",
  "forbidden",
  "rate_limited",
  "internal",
  "authentication_unavailable",
] as const satisfies ProblemCode[];

/**
 * Defines a route that a signed-in creator uses. Query and params must be strict objects: an unknown parameter is a 400.
 * `problems` are the codes it can answer besides those of every creator route.
 */
export function creatorRoute<
  Answer extends z.ZodType,
  Query extends z.ZodType = typeof nothing,
  Params extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof noBody,
>(definition: {
  method: Route["method"];
  path: string;
  tag: string;
  summary: string;
  description?: string;
  query?: Query;
  params?: Params;
  body?: Body;
  /** Request headers with a meaning of their own; documentation only, the handler reads them by `header`. */
  requestHeaders?: z.ZodObject;
  answer: Answer;
  answerHeaders?: z.ZodObject;
  problems: readonly ProblemCode[];
  handle: (
    input: RouteInput<z.output<Query>, z.output<Params>, z.output<Body>>,
  ) => Promise<RouteOutput<z.input<Answer>>>;
}): Route {
  const { method, path, query = nothing, params = nothing, body, answer } = definition;
  return {
    method,
    path,
    access: "creator",
    operation: {
      tags: [definition.tag],
      summary: definition.summary,
      ...(definition.description !== undefined && { description: definition.description }),
      security: [{ bearer: [] }],
      requestParams: parametersOf(definition),
      ...(body && { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
      responses: {
        200: {
          description: "The answer.",
          content: { "application/json": { schema: answer } },
          ...(definition.answerHeaders && { headers: definition.answerHeaders }),
        },
        ...problemResponses([...creatorProblems, ...definition.problems]),
      },
    },
    handle: async (context) => {
      refuseCsv(context.req.header("Accept"));
      const output = await definition.handle({
        // Absent schemas have the defaults above, which is what their type parameters default to as well.
        query: parseQuery(query as Query, context.req.url),
        params: parseParameters(params as Params, context.req.param()),
        body: (body ? await parseBody(body, context.req) : undefined) as z.output<Body>,
        header: (name) => context.req.header(name),
        creator: context.get("creator"),
        services: context.get("services"),
        requestId: context.get("requestId"),
        env: context.env,
        waitUntil: (work) => context.executionCtx.waitUntil(work),
      });
      // Parsed on the way out too: what the contract does not name is not sent.
      return Response.json(answer.parse(output.answer), {
        headers: { "Cache-Control": "no-store", ...output.headers },
      });
    },
  };
}

/** A client that takes only CSV is told that there is none, rather than given JSON. */
function refuseCsv(accept: string | undefined): void {
  if (accept !== undefined && /text\/csv/i.test(accept) && !/json|\*\/\*/i.test(accept)) {
    throw invalidParameter([{ parameter: "Accept", message: "text/csv is not available" }]);
  }
}

function parametersOf(definition: { query?: z.ZodType; params?: z.ZodType; requestHeaders?: z.ZodObject }) {
  return {
    // OpenAPI parameters come from objects, which is what every query and params schema is.
    ...(definition.query && { query: definition.query as z.ZodObject }),
    ...(definition.params && { path: definition.params as z.ZodObject }),
    ...(definition.requestHeaders && { header: definition.requestHeaders }),
  };
}

/** The documented responses of problem codes, those of one status together. */
export function problemResponses(codes: readonly ProblemCode[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(new Set(codes), (code) => problemCodes[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, sharing]) => [
      status,
      {
        description: sharing.map((code) => `\`${code}\`: ${problemCodes[code].title}.`).join(" "),
        content: { "application/problem+json": { schema: problemSchema } },
      },
    ]),
  );
}

/** Defines a GET that anyone may use and that takes no parameters: the service speaking about itself. */
export function publicRoute<
  const Answers extends Record<number, { description: string; schema: z.ZodType }>,
>(definition: {
  path: string;
  tag: string;
  summary: string;
  answers: Answers;
  handle: (services: Services, line: AppContext["Variables"]["line"]) => Outcomes<Answers> | Promise<Outcomes<Answers>>;
}): Route {
  const { path, tag, summary, answers, handle } = definition;
  return {
    method: "get",
    path,
    access: "public",
    operation: {
      tags: [tag],
      summary,
      responses: Object.fromEntries(
        Object.entries(answers).map(([status, { description, schema }]) => [
          status,
          { description, content: { "application/json": { schema } } },
        ]),
      ),
    },
    handle: async (context) => {
      const { status, answer } = await handle(context.get("services"), context.get("line"));
      return Response.json(answer, { status: Number(status), headers: { "Cache-Control": "no-store" } });
    },
  };
}

/** One of the documented statuses with the answer that goes with it. */
type Outcomes<Answers extends Record<number, { schema: z.ZodType }>> = {
  [Status in keyof Answers]: Answers[Status] extends { schema: infer Schema extends z.ZodType }
    ? { status: Status; answer: z.input<Schema> }
    : never;
}[keyof Answers];
