// ClickHouse in this process (chdb). Every request has a connection of its own, made and dropped in about a
// millisecond: settings, parameters, the current database and half-written output end with it, and requests run in
// parallel. (On a shared connection the output of a failed query is prepended to the next one's.)
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { drainPending, Session } from "chdb";
import { z } from "zod";
import { ClickHouseFailure, failureOf } from "./failure.ts";
import type { ClickHouseRequest } from "./http-request.ts";

/** What a request answered. */
export interface ClickHouseAnswer {
  readonly bytes: Uint8Array;
  readonly format: string;
  readonly summary: Readonly<Record<string, string>>;
}

/** First words of what a read-only user may say; the engine's own `readonly` refuses most of the rest by itself. */
const READING = new Set(["SELECT", "WITH", "FROM", "(", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "SET", "USE"]);

/** Formats that end with statistics, the one place where the engine tells how much a query has read. */
const STATISTICS = /"rows_read":\s*(\d+),\s*"bytes_read":\s*(\d+)\s*\}\s*\}\s*$/;
const FORMATS_WITH_STATISTICS = new Set([
  "JSON",
  "JSONStrings",
  "JSONCompact",
  "JSONCompactStrings",
  "JSONColumnsWithMetadata",
]);

const insertedSchema = z.object({ rowsWritten: z.number(), bytesWritten: z.number(), elapsed: z.number() });

/** The engine on one data folder. A process has one at a time. */
export class ClickHouseEngine {
  /** Keeps the engine open between requests. */
  readonly #base: Session;
  readonly #running = new Set<Promise<unknown>>();

  private constructor(base: Session) {
    this.#base = base;
  }

  /**
   * @param dataFolder where the data lives; a temporary folder, removed at the end, when undefined
   * @throws Error with a sentence when part of the data is damaged
   */
  static async open(dataFolder: string | undefined): Promise<ClickHouseEngine> {
    await drainPending();
    const base = new Session(dataFolder);
    const damaged = damagedParts(base);
    if (damaged.length > 0) {
      base.close();
      throw new Error(`These parts of its data are damaged: ${damaged.join(", ")}.`);
    }
    return new ClickHouseEngine(base);
  }

  /**
   * Runs one statement.
   * @param isReadonly refuses whatever could change anything, as the server's `readonly = 2` does
   * @throws ClickHouseFailure
   */
  async run(request: ClickHouseRequest, isReadonly: boolean): Promise<ClickHouseAnswer> {
    refuseByOutline(request, isReadonly);
    const work = this.#runAlone(request, isReadonly);
    this.#running.add(work);
    try {
      return await work;
    } catch (error) {
      throw failureOf(error);
    } finally {
      this.#running.delete(work);
    }
  }

  /** Stops a request that runs. Does nothing when it has ended. */
  cancel(queryId: string): void {
    this.#base.query(`KILL QUERY WHERE Settings['log_comment'] = ${quote(queryId)}`);
  }

  /** Stops what runs, then closes the data folder. */
  async close(): Promise<void> {
    if (this.#running.size > 0) {
      this.#base.query("KILL QUERY WHERE query_id != queryID()");
    }
    await Promise.allSettled(this.#running);
    this.#base.close();
    await drainPending();
  }

  async #runAlone(request: ClickHouseRequest, isReadonly: boolean): Promise<ClickHouseAnswer> {
    const connection = new Session(this.#base.path);
    try {
      if (isReadonly) {
        connection.query("SET readonly = 2");
      }
      connection.query(`USE ${quote(request.database, "`")}`);
      connection.query(`SET ${assignments(request)}`);
      // Awaited here: the connection may close only when the engine is done with it.
      return await (request.outline.keyword === "INSERT" ? insert(connection, request) : query(connection, request));
    } finally {
      connection.close();
    }
  }
}

/** What the engine has put aside as broken: it would go on without those rows, and answer wrong numbers. */
function damagedParts(session: Session): string[] {
  const sql = "SELECT concat(table, ' ', name) FROM system.detached_parts WHERE startsWith(reason, 'broken') LIMIT 5";
  return session
    .query(sql, "TSVRaw")
    .split("\n")
    .filter((line) => line !== "");
}

function refuseByOutline({ outline }: ClickHouseRequest, isReadonly: boolean): void {
  if (outline.keyword === "") {
    throw new ClickHouseFailure(62, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query). Empty query.");
  }
  if (outline.hasAnother) {
    throw new ClickHouseFailure(62, "SYNTAX_ERROR", "Syntax error: Multi-statements are not allowed.");
  }
  if (outline.writesFile) {
    throw new ClickHouseFailure(1, "UNSUPPORTED_METHOD", "INTO OUTFILE is not allowed over HTTP.");
  }
  if (isReadonly && (!READING.has(outline.keyword) || outline.writesRows)) {
    throw new ClickHouseFailure(164, "READONLY", "Cannot execute query in readonly mode.");
  }
}

/** Session settings that make the request's own. `log_comment` marks the request, so that it can be cancelled. */
function assignments(request: ClickHouseRequest): string {
  const all = [
    // A ClickHouse server's zone is UTC unless told otherwise; the engine alone would take the machine's.
    ["session_timezone", "UTC"] as const,
    ...request.settings,
    ...[...request.parameters].map(([name, value]) => [`param_${name}`, value] as const),
    ["log_comment", request.queryId] as const,
  ];
  return all.map(([name, value]) => `${settingName(name)} = ${quote(value)}`).join(", ");
}

function settingName(name: string): string {
  if (!/^\w[\w.]*$/.test(name)) {
    throw new ClickHouseFailure(115, "UNKNOWN_SETTING", `Unknown setting ${name}.`);
  }
  return quote(name, "`");
}

function quote(text: string, mark = "'"): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll(mark, `\\${mark}`).replaceAll("\0", "\\0");
  return `${mark}${escaped}${mark}`;
}

async function query(connection: Session, request: ClickHouseRequest): Promise<ClickHouseAnswer> {
  const result = await connection.queryAsync(request.sql, { format: request.defaultFormat });
  const format = request.outline.format ?? request.defaultFormat;
  const bytes = result.bytes();
  const [, readRows, readBytes] = FORMATS_WITH_STATISTICS.has(format)
    ? (STATISTICS.exec(Buffer.from(bytes).subarray(-256).toString("latin1")) ?? [])
    : [];
  return {
    bytes,
    format,
    summary: {
      ...(readRows !== undefined && readBytes !== undefined ? { read_rows: readRows, read_bytes: readBytes } : {}),
      written_rows: "0",
      written_bytes: "0",
      result_rows: String(result.rowsRead),
      result_bytes: String(result.bytesRead),
      elapsed_ns: nanoseconds(result.elapsed),
    },
  };
}

async function insert(connection: Session, request: ClickHouseRequest): Promise<ClickHouseAnswer> {
  const written = insertedSchema.parse(
    await addon.InsertRawAsyncConnection(connection.connection, request.sql, Buffer.from(request.data ?? []), false),
  );
  return {
    bytes: new Uint8Array(),
    format: request.defaultFormat,
    summary: {
      written_rows: String(written.rowsWritten),
      written_bytes: String(written.bytesWritten),
      result_rows: String(written.rowsWritten),
      result_bytes: String(written.bytesWritten),
      elapsed_ns: nanoseconds(written.elapsed),
    },
  };
}

function nanoseconds(seconds: number): string {
  return String(Math.round(seconds * 1e9));
}

interface Addon {
  /** Runs `prefix` with `data` as what follows it, and tells how much was written. */
  InsertRawAsyncConnection(connection: unknown, prefix: string, data: Buffer, countLines: boolean): Promise<unknown>;
}

/** chdb's own loader: its public insert takes a table's name, few formats and no query, where a server takes any INSERT. */
const addon: Addon = loadAddon();

function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  // The package names no such export, hence no types; package.json pins its exact version, and every insert's test calls it.
  const loader = require(join(dirname(require.resolve("chdb")), "dist", "loader.js")) as { loadNative(): Addon };
  return loader.loadNative();
}
