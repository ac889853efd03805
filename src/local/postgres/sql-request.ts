// What the stock Neon driver sends to /sql, parsed: whose connection, and one query or a transaction of several.
import { z } from "zod";
import type { IncomingHttpHeaders } from "node:http";

/** The driver sends text or null; numbers and booleans from other clients mean their JSON text. */
const parameterSchema = z.union([z.string(), z.null(), z.number().transform(String), z.boolean().transform(String)]);

const querySchema = z.object({ query: z.string(), params: z.array(parameterSchema).default([]) });

const bodySchema = z.union([querySchema, z.object({ queries: z.array(querySchema) })]);

const headerFlag = z
  .enum(["true", "false"])
  .default("false")
  .transform((value) => value === "true");

const transactionSchema = z.object({
  "neon-batch-isolation-level": z
    .enum(["ReadUncommitted", "ReadCommitted", "RepeatableRead", "Serializable"])
    .optional(),
  "neon-batch-read-only": headerFlag,
  "neon-batch-deferrable": headerFlag,
});

const ISOLATION_LEVELS = {
  ReadUncommitted: "READ UNCOMMITTED",
  ReadCommitted: "READ COMMITTED",
  RepeatableRead: "REPEATABLE READ",
  Serializable: "SERIALIZABLE",
};

/** One statement and its parameters in text format. */
export type SqlQuery = z.infer<typeof querySchema>;

/** One query, or several in a transaction opened by `begin`. */
export type SqlRequest = { queries: SqlQuery[]; begin: string | null };

/** Who connects to what. */
export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The request is not the protocol's; the message is for its sender. */
export class MalformedRequest extends Error {
  override readonly name = "MalformedRequest";
}

/**
 * Reads body and batch headers.
 * @throws MalformedRequest
 */
export function parseSqlRequest(headers: IncomingHttpHeaders, body: string): SqlRequest {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (error) {
    throw new MalformedRequest("the body is not JSON", { cause: error });
  }
  const parsed = bodySchema.safeParse(json);
  if (!parsed.success) {
    throw new MalformedRequest('the body is neither {"query", "params"} nor {"queries"}');
  }
  if (!("queries" in parsed.data)) {
    return { queries: [parsed.data], begin: null };
  }
  const transaction = transactionSchema.safeParse(headers);
  if (!transaction.success) {
    throw new MalformedRequest(`invalid header ${transaction.error.issues[0]?.path.join(".") ?? ""}`);
  }
  const level = transaction.data["neon-batch-isolation-level"];
  return {
    queries: parsed.data.queries,
    begin: [
      "BEGIN",
      ...(level === undefined ? [] : [`ISOLATION LEVEL ${ISOLATION_LEVELS[level]}`]),
      ...(transaction.data["neon-batch-read-only"] ? ["READ ONLY"] : []),
      ...(transaction.data["neon-batch-deferrable"] ? ["DEFERRABLE"] : []),
    ].join(" "),
  };
}

/**
 * Reads the Neon-Connection-String header.
 * @throws MalformedRequest
 */
export function parseLogin(headers: IncomingHttpHeaders): Login {
  const header = headers["neon-connection-string"];
  if (typeof header !== "string") {
    throw new MalformedRequest("missing header neon-connection-string");
  }
  return parseConnectionString(header);
}

/**
 * Reads user, password and database of a `postgres://` or `postgresql://` URL.
 * @throws MalformedRequest
 */
export function parseConnectionString(text: string): Login {
  // Parsed as http, whose parts the URL standard defines fully.
  const url = /^postgres(?:ql)?:/.test(text) ? URL.parse(text.replace(/^[a-z]+:/, "http:")) : null;
  if (url === null) {
    throw new MalformedRequest("invalid connection string");
  }
  try {
    return {
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
    };
  } catch (error) {
    throw new MalformedRequest("invalid connection string", { cause: error });
  }
}
