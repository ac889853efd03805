// A request of ClickHouse's HTTP interface, parsed: who asks, the SQL and its data, parameters and settings.
// https://clickhouse.com/docs/interfaces/http
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { readBody } from "../loopback-server.ts";
import { ClickHouseFailure } from "./failure.ts";
import { outlineOf, type StatementOutline } from "./sql-text.ts";

/** What the engine is to run. */
export interface ClickHouseRequest {
  readonly queryId: string;
  readonly database: string;
  /** The statement, without the data of an INSERT. */
  readonly sql: string;
  /** The data of an INSERT that brings its rows along. */
  readonly data: Uint8Array | undefined;
  readonly outline: StatementOutline;
  /** Values of `{name:Type}` in the escaped text that the engine parses, by name. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Settings for this request alone, by name. The engine judges names and values. */
  readonly settings: ReadonlyMap<string, string>;
  /** The format of an answer whose query names none. */
  readonly defaultFormat: string;
  /** Whether a GET asks: those never write. */
  readonly isGet: boolean;
}

/** User name and password as sent. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Large enough for a seed's biggest insert, small enough not to exhaust the machine. */
const MAX_BODY_BYTES = 1024 * 1024 * 1024;

/** Parameters of the interface itself, and what never reaches a statement here: a local reply is always whole and plain. */
const NOT_SETTINGS = new Set([
  "query",
  "query_id",
  "database",
  "default_format",
  "user",
  "password",
  "quota_key",
  "role",
  "stacktrace",
  "session_id",
  "session_timeout",
  "session_check",
  "close_session",
  "compress",
  "decompress",
  "buffer_size",
  "wait_end_of_query",
  "enable_http_compression",
  "client_protocol_version",
  "log_comment",
]);

/** Who asks: HTTP Basic, ClickHouse's own headers, or the URL; without any of them the user `default`. */
export function credentialsOf(request: IncomingMessage, url: URL): Credentials {
  const { authorization } = request.headers;
  const basic = /^Basic (.+)$/i.exec(authorization ?? "")?.[1];
  if (basic !== undefined) {
    const [, username = "", password = ""] =
      /^([^:]*):?(.*)$/s.exec(Buffer.from(basic, "base64").toString("utf8")) ?? [];
    return { username, password };
  }
  // Node reads header bytes as Latin-1; ClickHouse reads them as UTF-8.
  const header = (name: string) => {
    const value = request.headers[name]?.toString();
    return value === undefined ? undefined : Buffer.from(value, "latin1").toString("utf8");
  };
  return {
    username: header("x-clickhouse-user") ?? url.searchParams.get("user") ?? "default",
    password: header("x-clickhouse-key") ?? url.searchParams.get("password") ?? "",
  };
}

/**
 * Reads URL and body.
 * @throws ClickHouseFailure for what this endpoint refuses by itself; BodyTooLarge
 */
export async function readClickHouseRequest(request: IncomingMessage, url: URL): Promise<ClickHouseRequest> {
  const parameters = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (name.startsWith("param_")) {
      parameters.set(name.slice("param_".length), value);
    } else if (!NOT_SETTINGS.has(name)) {
      settings.set(name, value);
    }
  }
  if (url.searchParams.has("session_id") || url.searchParams.has("role")) {
    throw new ClickHouseFailure(48, "NOT_IMPLEMENTED", "Sessions and roles do not exist on this local endpoint.");
  }
  let body = await readBody(request, MAX_BODY_BYTES);
  let queryStart = url.searchParams.get("query") ?? "";
  if (request.headers["content-type"]?.startsWith("multipart/form-data")) {
    const form = await new Response(new Uint8Array(body), {
      headers: { "content-type": request.headers["content-type"] },
    }).formData();
    for (const [name, value] of form) {
      if (typeof value !== "string") {
        throw new ClickHouseFailure(48, "NOT_IMPLEMENTED", "External tables do not exist on this local endpoint.");
      }
      if (name.startsWith("param_")) {
        parameters.set(name.slice("param_".length), value);
      } else if (name === "query") {
        queryStart += value;
      }
    }
    body = Buffer.alloc(0);
  }
  const statement = splitStatement(queryStart, body);
  return {
    ...statement,
    queryId: url.searchParams.get("query_id") || randomUUID(),
    database: url.searchParams.get("database") || "default",
    parameters,
    settings,
    defaultFormat: url.searchParams.get("default_format") || "TabSeparated",
    isGet: request.method === "GET",
  };
}

/** SQL may begin in the URL and go on in the body; the data of an INSERT follows its SQL wherever that ends. */
function splitStatement(start: string, body: Buffer): Pick<ClickHouseRequest, "sql" | "data" | "outline"> {
  const fromUrl = start === "" ? undefined : outlineOf(start);
  if (fromUrl?.dataStart !== undefined) {
    const inline = start.slice(fromUrl.dataStart);
    return {
      sql: start.slice(0, fromUrl.dataStart),
      data: inline.trim() === "" ? body : Buffer.concat([Buffer.from(`${withoutFirstBreak(inline)}\n`), body]),
      outline: fromUrl,
    };
  }
  const text = start + (start !== "" && body.byteLength > 0 ? "\n" : "") + body.toString("utf8");
  const outline = outlineOf(text);
  if (outline.dataStart === undefined) {
    return { sql: text, data: undefined, outline };
  }
  return {
    sql: text.slice(0, outline.dataStart),
    // As bytes: data in a binary format is no text.
    data:
      start === "" ? bytesAfter(body, text.slice(0, outline.dataStart)) : Buffer.from(text.slice(outline.dataStart)),
    outline,
  };
}

function bytesAfter(body: Buffer, sql: string): Buffer {
  const rest = body.subarray(Buffer.byteLength(sql));
  const breaks = /^[ \t]*\r?\n/.exec(rest.subarray(0, 64).toString("latin1"))?.[0].length ?? 0;
  return rest.subarray(breaks);
}

/** The line break after `FORMAT X` belongs to the SQL. */
function withoutFirstBreak(data: string): string {
  return data.replace(/^[ \t]*\r?\n/, "");
}
