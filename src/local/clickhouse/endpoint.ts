// ClickHouse (chdb) behind ClickHouse's HTTP interface, so that the stock @clickhouse/client-web works unchanged.
// Answers are always whole, as with `wait_end_of_query=1`: a status is never taken back.
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { claimDataFolder } from "../data-folder.ts";
import { BodyTooLarge, listenOnLoopback } from "../loopback-server.ts";
import { ClickHouseEngine, type ClickHouseAnswer } from "./engine.ts";
import { ClickHouseFailure, failureOf } from "./failure.ts";
import { credentialsOf, readClickHouseRequest, type ClickHouseRequest, type Credentials } from "./http-request.ts";

/** What to serve. */
export interface ClickHouseEndpointOptions {
  /** Where the data lives; a temporary folder when absent. A process has one at a time. */
  readonly dataFolder?: string;
  /** 0 or absent for any free port. */
  readonly port?: number;
  /** The user who may do everything. */
  readonly username?: string;
  readonly password?: string;
  /** The user who may only read, as the product's in production. */
  readonly reader?: Credentials;
}

/** A running endpoint. */
export interface ClickHouseEndpoint extends Credentials {
  readonly url: string;
  readonly database: string;
  readonly reader: Credentials;
  close(): Promise<void>;
}

/**
 * Opens the engine and listens on loopback.
 * @throws Error with a sentence when the port or the folder is taken
 */
export async function startClickHouseEndpoint(options: ClickHouseEndpointOptions = {}): Promise<ClickHouseEndpoint> {
  const { dataFolder, port = 0, username = "default", password = "clickhouse" } = options;
  const reader = options.reader ?? { username: "reader", password: "reader" };
  const release = dataFolder === undefined ? () => undefined : claimDataFolder(dataFolder);
  try {
    const engine = await ClickHouseEngine.open(dataFolder && join(dataFolder, "database"));
    const users = { writer: { username, password }, reader };
    const server = await listenOnLoopback(port, (request, response) => answer(engine, users, request, response)).catch(
      async (error: unknown) => {
        await engine.close();
        throw error;
      },
    );
    return {
      url: `http://127.0.0.1:${server.port}`,
      username,
      password,
      database: "default",
      reader,
      close: async () => {
        await server.close();
        await engine.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

interface Users {
  readonly writer: Credentials;
  readonly reader: Credentials;
}

async function answer(
  engine: ClickHouseEngine,
  users: Users,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (request.method === "GET" && (url.pathname === "/ping" || (url.pathname === "/" && url.search === ""))) {
    response.writeHead(200, { "content-type": "text/plain; charset=UTF-8" }).end("Ok.\n");
    return;
  }
  if (url.pathname !== "/") {
    response
      .writeHead(404, { "content-type": "text/plain; charset=UTF-8" })
      .end(`There is no handle ${url.pathname}\n`);
    return;
  }
  let queryId = url.searchParams.get("query_id") ?? "";
  try {
    const isReader = authenticate(users, credentialsOf(request, url));
    const parsed = await readClickHouseRequest(request, url);
    queryId = parsed.queryId;
    cancelWhenClientLeaves(engine, parsed, response);
    replyWith(response, queryId, await engine.run(parsed, isReader || parsed.isGet));
  } catch (error) {
    replyFailure(response, queryId, error);
  }
}

/**
 * Whether it is the reader.
 * @throws ClickHouseFailure for anyone unknown
 */
function authenticate({ writer, reader }: Users, { username, password }: Credentials): boolean {
  for (const user of [writer, reader]) {
    if (user.username === username && user.password === password) {
      return user === reader;
    }
  }
  throw new ClickHouseFailure(
    516,
    "AUTHENTICATION_FAILED",
    `${username}: Authentication failed: password is incorrect, or there is no user with such name.`,
  );
}

/** As on a server, where the setting is off by default. */
function cancelWhenClientLeaves(engine: ClickHouseEngine, request: ClickHouseRequest, response: ServerResponse): void {
  const setting = request.settings.get("cancel_http_readonly_queries_on_client_close");
  if ((setting === "1" || setting === "true") && request.outline.keyword !== "INSERT") {
    response.once("close", () => {
      if (!response.writableFinished) {
        engine.cancel(request.queryId);
      }
    });
  }
}

/** ClickHouse's content types; what is not here is plain text. */
const CONTENT_TYPES: Record<string, string> = {
  CSV: "text/csv; charset=UTF-8; header=absent",
  CSVWithNames: "text/csv; charset=UTF-8; header=present",
  TabSeparated: "text/tab-separated-values; charset=UTF-8",
  TSV: "text/tab-separated-values; charset=UTF-8",
  JSONEachRow: "application/x-ndjson; charset=UTF-8",
  JSONCompactEachRow: "application/x-ndjson; charset=UTF-8",
  JSON: "application/json; charset=UTF-8",
  JSONCompact: "application/json; charset=UTF-8",
};

function replyWith(response: ServerResponse, queryId: string, { bytes, format, summary }: ClickHouseAnswer): void {
  response.writeHead(200, {
    "content-type": CONTENT_TYPES[format] ?? "text/plain; charset=UTF-8",
    "content-length": bytes.byteLength,
    "x-clickhouse-query-id": queryId,
    "x-clickhouse-format": format,
    "x-clickhouse-timezone": "UTC",
    "x-clickhouse-summary": JSON.stringify(summary),
  });
  response.end(bytes);
}

function replyFailure(response: ServerResponse, queryId: string, error: unknown): void {
  const failure =
    error instanceof BodyTooLarge ? new ClickHouseFailure(229, "QUERY_IS_TOO_LARGE", error.message) : failureOf(error);
  response.writeHead(failure.status, {
    "content-type": "text/plain; charset=UTF-8",
    "x-clickhouse-query-id": queryId,
    "x-clickhouse-exception-code": String(failure.code),
    "x-clickhouse-timezone": "UTC",
  });
  response.end(failure.body);
}
