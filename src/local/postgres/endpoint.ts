// Postgres (PGlite) behind the HTTP protocol of Neon's `/sql`, so that the stock @neondatabase/serverless driver works
// unchanged. Always answers as for `Neon-Raw-Text-Output: true` and `Neon-Array-Mode: true`, the only mode it sends.
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { claimDataFolder } from "../data-folder.ts";
import { BodyTooLarge, listenOnLoopback, readBody } from "../loopback-server.ts";
import { PostgresError, type PostgresResult } from "./connection.ts";
import { ClientLeft, PostgresSessions } from "./sessions.ts";
import { MalformedRequest, parseLogin, parseSqlRequest } from "./sql-request.ts";

/** Neon's own caps on a request and on an answer (neondatabase/neon, proxy configuration). */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** What to serve. */
export interface PostgresEndpointOptions {
  /** Where the database lives; in memory when absent. */
  readonly dataFolder?: string;
  /** 0 or absent for any free port. */
  readonly port?: number;
  /** The owner's role, created when it is not there; every other role with LOGIN and a password can log in too. */
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
}

/** A running endpoint. */
export interface PostgresEndpoint {
  /** For `NEON_ENDPOINT`. */
  readonly endpoint: string;
  /** For `DATABASE_URL`: the owner's. */
  readonly connectionString: string;
  close(): Promise<void>;
}

/**
 * Opens the database and listens on loopback.
 * @throws Error with a sentence when the port or the folder is taken
 */
export async function startPostgresEndpoint(options: PostgresEndpointOptions = {}): Promise<PostgresEndpoint> {
  const { dataFolder, port = 0, user = "postgres", password = "postgres", database = "postgres" } = options;
  const release = dataFolder === undefined ? () => undefined : claimDataFolder(dataFolder);
  try {
    const sessions = await PostgresSessions.open(dataFolder && join(dataFolder, "database"), {
      user,
      password,
      database,
    });
    const server = await listenOnLoopback(port, (request, response) => answer(sessions, request, response));
    const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
    return {
      endpoint: `http://127.0.0.1:${server.port}/sql`,
      connectionString: `postgresql://${login}@127.0.0.1:${server.port}/${encodeURIComponent(database)}`,
      close: async () => {
        await server.close();
        await sessions.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

async function answer(sessions: PostgresSessions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === "GET" && request.url === "/healthz") {
    reply(response, 200, { status: "ok" });
    return;
  }
  if (request.method !== "POST" || request.url?.split("?")[0] !== "/sql") {
    reply(response, 404, { message: "only POST /sql is served here" });
    return;
  }
  const client = { hasLeft: false };
  response.once("close", () => {
    client.hasLeft = !response.writableFinished;
  });
  try {
    const body = await readBody(request, MAX_BODY_BYTES);
    const login = parseLogin(request.headers);
    const sql = parseSqlRequest(request.headers, body.toString("utf8"));
    const results = await sessions.run(login, sql, client);
    const [only] = results;
    reply(
      response,
      200,
      sql.begin === null && only !== undefined ? resultJson(only) : { results: results.map(resultJson) },
    );
  } catch (error) {
    if (error instanceof ClientLeft) {
      response.destroy();
    } else if (error instanceof PostgresError) {
      reply(response, 400, error.fields);
    } else if (error instanceof MalformedRequest) {
      reply(response, 400, { message: error.message });
    } else if (error instanceof BodyTooLarge) {
      reply(response, 413, { message: error.message });
    } else {
      reply(response, 500, { message: `the database engine has failed: ${String(error)}` });
    }
  }
}

function resultJson(result: PostgresResult): PostgresResult & { rowAsArray: true } {
  return { ...result, rowAsArray: true };
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  if (bytes.byteLength > MAX_BODY_BYTES) {
    reply(response, 507, { message: `response is too large (max is ${MAX_BODY_BYTES} bytes)` });
    return;
  }
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.byteLength });
  response.end(bytes);
}
