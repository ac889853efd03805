import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { neon, neonConfig, NeonDbError } from "@neondatabase/serverless";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listenOnLoopback } from "../../src/local/loopback-server.ts";
import { startPostgresEndpoint, type PostgresEndpoint } from "../../src/local/postgres/endpoint.ts";

let postgres: PostgresEndpoint;
let sql: ReturnType<typeof neon<false, false>>;

beforeAll(async () => {
  postgres = await startPostgresEndpoint({ user: "owner", password: "p@ss/w:ord?", database: "ledger" });
  neonConfig.fetchEndpoint = postgres.endpoint;
  sql = neon(postgres.connectionString);
  await sql`CREATE TABLE account (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, balance numeric CHECK (balance >= 0))`;
  await sql`CREATE TABLE entry (account_id bigint REFERENCES account DEFERRABLE INITIALLY DEFERRED, note text)`;
});

afterAll(() => postgres.close());

async function freePort(): Promise<number> {
  const server = await listenOnLoopback(0, () => undefined);
  await server.close();
  return server.port;
}

async function refusalOf(work: Promise<unknown>): Promise<NeonDbError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof NeonDbError)) {
    throw new TypeError("expected a NeonDbError", { cause: error });
  }
  return error;
}

/** The driver with another login. */
function as(change: (url: URL) => void) {
  const url = new URL(postgres.connectionString);
  change(url);
  return neon(url.href);
}

/** The endpoint without the driver. */
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(postgres.endpoint, {
    method: "POST",
    body,
    headers: { "Neon-Connection-String": postgres.connectionString, ...headers },
  });

describe("values", () => {
  test("every type arrives as the driver makes it from Postgres's own text", async () => {
    const [row] =
      await sql`SELECT 9007199254740993::int8 AS big, 1.50::numeric AS exact, 7::int2 AS small, 1.5::float8 AS real,
      true AS yes, false AS no, NULL::int4 AS nothing, 'x'::text AS word, '2026-03-29'::date AS day,
      '2026-03-29 01:02:03.456+01'::timestamptz AS instant, '{"a": [1, null]}'::jsonb AS document,
      '\\x00ff'::bytea AS bytes, ARRAY[1, 2]::int4[] AS numbers, ARRAY['a,b', NULL, '"']::text[] AS words,
      '1 day 02:00:00'::interval AS span, '7b5f6c1e-98a4-4b0a-8f31-0d2f6f1d1f55'::uuid AS id`;
    expect(row).toEqual({
      big: "9007199254740993",
      exact: "1.50",
      small: 7,
      real: 1.5,
      yes: true,
      no: false,
      nothing: null,
      word: "x",
      day: new Date("2026-03-29T00:00:00.000"),
      instant: new Date("2026-03-29T00:02:03.456Z"),
      document: { a: [1, null] },
      bytes: Buffer.from([0, 255]),
      numbers: [1, 2],
      words: ["a,b", null, '"'],
      span: expect.objectContaining({ days: 1, hours: 2 }),
      id: "7b5f6c1e-98a4-4b0a-8f31-0d2f6f1d1f55",
    });
  });

  test("parameters are text whose type the server infers", async () => {
    const instant = new Date("2026-11-01T12:00:00.123Z");
    const [row] = await sql`SELECT ${1}::int4 + 1 AS sum, ${instant}::timestamptz AS instant, ${true}::bool AS flag,
      ${{ quote: `'"\\` }}::jsonb AS document, ${Buffer.from("é")}::bytea AS bytes, ${["a", 'b"c', null]}::text[] AS words,
      ${null}::text AS nothing, ${"O'Brien \\ \n 日本"}::text AS text, ${"9007199254740993"}::int8 AS big`;
    expect(row).toEqual({
      sum: 2,
      instant,
      flag: true,
      document: { quote: `'"\\` },
      bytes: Buffer.from("é"),
      words: ["a", 'b"c', null],
      nothing: null,
      text: "O'Brien \\ \n 日本",
      big: "9007199254740993",
    });
  });

  test("array mode and full results carry columns, types, command and count", async () => {
    const answer = await sql.query("SELECT 1 AS one, 'a' AS letter FROM generate_series(1, 2)", [], {
      arrayMode: true,
      fullResults: true,
    });
    expect(answer).toMatchObject({
      command: "SELECT",
      rowCount: 2,
      rowAsArray: true,
      rows: [
        [1, "a"],
        [1, "a"],
      ],
    });
    expect(answer.fields.map(({ name, dataTypeID }) => [name, dataTypeID])).toEqual([
      ["one", 23],
      ["letter", 25],
    ]);
  });

  test.each([
    ["INSERT INTO account VALUES (900, 'count-a', 1), (901, 'count-b', 1)", "INSERT", 2],
    ["UPDATE account SET balance = 2 WHERE id IN (900, 901)", "UPDATE", 2],
    ["DELETE FROM account WHERE id IN (900, 901)", "DELETE", 2],
    ["CREATE TEMPORARY TABLE scratch (i int)", "CREATE", null],
    ["", "", null],
  ])("%j answers command %j with count %j", async (statement, command, rowCount) => {
    expect(await sql.query(statement, [], { fullResults: true })).toMatchObject({ command, rowCount, rows: [] });
  });
});

describe("errors", () => {
  test("a violated constraint arrives with its fields", async () => {
    await sql`INSERT INTO account VALUES (1, 'ada', 10)`;
    expect(await refusalOf(sql`INSERT INTO account VALUES (2, 'ada', 10)`)).toMatchObject({
      code: "23505",
      severity: "ERROR",
      schema: "public",
      table: "account",
      constraint: "account_name_key",
      detail: "Key (name)=(ada) already exists.",
    });
  });

  test("a syntax error says where", async () => {
    expect(await refusalOf(sql`SELECT 1 FORM account`)).toMatchObject({ code: "42601", position: "15" });
  });

  test("a parameter that is not of the inferred type is refused by the server", async () => {
    expect(await refusalOf(sql`SELECT id FROM account WHERE id = ${"one"}`)).toMatchObject({ code: "22P02" });
  });

  test.each([
    ["SELECT 1; SELECT 2", "42601"],
    ["/* x */ COPY account FROM STDIN", "0A000"],
  ])("%s is refused and the next query works", async (statement, code) => {
    expect(await refusalOf(sql.query(statement))).toMatchObject({ code });
    expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  });

  test.each(["SELECT", "{}", '{"query": 1}', '{"queries": [{}]}'])("body %s is a 400 with a message", async (body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ message: expect.stringContaining("body") });
  });

  test("an unknown isolation level is a 400 that names the header", async () => {
    const response = await post('{"queries": []}', { "Neon-Batch-Isolation-Level": "Chaos" });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ message: "invalid header neon-batch-isolation-level" });
  });

  test("an answer larger than Neon's cap is a 507", async () => {
    const error = await refusalOf(sql`SELECT repeat('x', 11000000)`);
    expect(error.message).toContain("HTTP status 507");
  });

  test("any other path is a 404", async () => {
    expect((await fetch(new URL("/", postgres.endpoint))).status).toBe(404);
  });
});

describe("logins", () => {
  test("a wrong password and an unknown role are refused alike", async () => {
    const wrong = await refusalOf(as((url) => (url.password = "wrong"))`SELECT 1`);
    expect(wrong).toMatchObject({ code: "28P01", message: 'password authentication failed for user "owner"' });
    const unknown = await refusalOf(as((url) => (url.username = "nobody"))`SELECT 1`);
    expect(unknown).toMatchObject({ code: "28P01", message: 'password authentication failed for user "nobody"' });
  });

  test("an unknown database is refused", async () => {
    expect(await refusalOf(as((url) => (url.pathname = "/other"))`SELECT 1`)).toMatchObject({ code: "3D000" });
  });

  test("a role logs in with its own password and has only its own rights", async () => {
    await sql`CREATE ROLE reader LOGIN PASSWORD 'readonly'`;
    await sql`GRANT SELECT ON account TO reader`;
    const reader = as((url) => {
      url.username = "reader";
      url.password = "readonly";
    });
    expect(await reader`SELECT session_user AS me, count(*) >= 0 AS counted FROM account`).toEqual([
      { me: "reader", counted: true },
    ]);
    expect(await refusalOf(reader`DELETE FROM account`)).toMatchObject({ code: "42501" });
    expect(await sql`SELECT session_user AS me`).toEqual([{ me: "owner" }]);
    await sql`ALTER ROLE reader PASSWORD 'changed'`;
    expect(await refusalOf(reader`SELECT 1`)).toMatchObject({ code: "28P01" });
  });
});

describe("transactions", () => {
  test("all statements of a batch happen, in order, in one transaction", async () => {
    const [inserted, before, after] = await sql.transaction([
      sql`INSERT INTO account VALUES (10, 'batch', 5) RETURNING id`,
      sql`SELECT txid_current() AS id`,
      sql`SELECT txid_current() AS id, (SELECT balance FROM account WHERE id = 10) AS balance`,
    ]);
    expect(inserted).toEqual([{ id: "10" }]);
    expect(after).toEqual([{ id: before?.[0]?.["id"], balance: "5" }]);
  });

  test("the first error undoes the batch", async () => {
    const error = await refusalOf(
      sql.transaction([
        sql`INSERT INTO account VALUES (11, 'undone', 1)`,
        sql`UPDATE account SET balance = -1 WHERE id = 11`,
        sql`SELECT 1`,
      ]),
    );
    expect(error).toMatchObject({ code: "23514", constraint: "account_balance_check" });
    expect(await sql`SELECT 1 FROM account WHERE id = 11`).toEqual([]);
  });

  test("a constraint checked at commit is an error of the batch", async () => {
    const error = await refusalOf(sql.transaction([sql`INSERT INTO entry VALUES (404, 'orphan')`]));
    expect(error).toMatchObject({ code: "23503" });
    expect(await sql`SELECT 1 FROM entry WHERE account_id = 404`).toEqual([]);
  });

  test("isolation level, read-only and deferrable are those asked for", async () => {
    const [settings] = await sql.transaction(
      [
        sql`SELECT current_setting('transaction_isolation') AS level, current_setting('transaction_read_only') AS read_only,
          current_setting('transaction_deferrable') AS deferrable`,
      ],
      { isolationLevel: "Serializable", readOnly: true, deferrable: true },
    );
    expect(settings).toEqual([{ level: "serializable", read_only: "on", deferrable: "on" }]);
    expect(await refusalOf(sql.transaction([sql`DELETE FROM entry`], { readOnly: true }))).toMatchObject({
      code: "25006",
    });
  });
});

describe("one connection for all", () => {
  test("a request leaves no transaction, setting or temporary table behind", async () => {
    await sql`BEGIN`;
    expect(await refusalOf(sql`SELECT 1 / 0`)).toMatchObject({ code: "22012" });
    await sql`SET search_path TO pg_catalog`;
    await sql`CREATE TEMPORARY TABLE left_behind (i int)`;
    expect(await sql`SELECT current_setting('search_path') AS path, to_regclass('left_behind') AS table`).toEqual([
      { path: "public", table: null },
    ]);
  });

  test("parallel requests wait their turn and all succeed", async () => {
    await sql`INSERT INTO account VALUES (20, 'counter', 0)`;
    await Promise.all(
      Array.from({ length: 50 }, () =>
        sql.transaction([
          sql`SELECT balance FROM account WHERE id = 20`,
          sql`UPDATE account SET balance = balance + 1 WHERE id = 20`,
        ]),
      ),
    );
    expect(await sql`SELECT balance FROM account WHERE id = 20`).toEqual([{ balance: "50" }]);
  });

  test("a request whose client left while it queued never runs", async () => {
    // The engine computes on this thread and breathes between statements: long in all, short in each.
    const busy = sql.transaction(Array.from({ length: 40 }, () => sql`SELECT pg_sleep(0.02)`)).then(() => "done");
    const abort = new AbortController();
    const left = refusalOf(
      sql.query("INSERT INTO account VALUES (30, 'ghost', 1)", [], { fetchOptions: { signal: abort.signal } }),
    );
    setTimeout(() => abort.abort(), 100);
    expect((await left).sourceError).toMatchObject({ name: "AbortError" });
    expect(await busy).toBe("done");
    expect(await sql`SELECT 1 FROM account WHERE id = 30`).toEqual([]);
  });

  test("a batch whose client leaves is undone", async () => {
    const abort = new AbortController();
    const pauses = Array.from({ length: 500 }, () => sql`SELECT pg_sleep(0.02)`);
    const left = refusalOf(
      sql.transaction([sql`INSERT INTO account VALUES (31, 'leaver', 1)`, ...pauses], {
        fetchOptions: { signal: abort.signal },
      }),
    );
    setTimeout(() => abort.abort(), 100);
    expect((await left).sourceError).toMatchObject({ name: "AbortError" });
    const start = performance.now();
    expect(await sql`SELECT 1 FROM account WHERE id = 31`).toEqual([]);
    expect(performance.now() - start, "milliseconds until the next request had its turn").toBeLessThan(5_000);
  });
});

describe("a data folder", () => {
  const main = fileURLToPath(new URL("../../src/local/postgres/main.ts", import.meta.url));
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "postgres-"));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  async function startProcess(port: number) {
    const url = `postgres://owner:secret@127.0.0.1:${port}/ledger`;
    const child = spawn(process.execPath, [main], {
      env: { PORT: String(port), DATA_FOLDER: folder, DATABASE_URL: url },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const run = (text: string, params: unknown[] = []) => {
      neonConfig.fetchEndpoint = `http://127.0.0.1:${port}/sql`;
      return neon(url).query(text, params);
    };
    return { child, run };
  }

  test("survives a killed process with every acknowledged write, and has one holder at a time", async () => {
    const port = await freePort();
    const first = await startProcess(port);
    await first.run("CREATE TABLE kept (i int PRIMARY KEY)");
    for (let i = 0; i < 50; i += 1) {
      await first.run("INSERT INTO kept VALUES ($1)", [i]);
    }
    await expect(startPostgresEndpoint({ dataFolder: folder })).rejects.toThrow(
      `The data folder ${folder} is in use by process ${first.child.pid}: stop it, or use another folder.`,
    );
    first.child.kill("SIGKILL");
    await once(first.child, "exit");

    const second = await startProcess(port);
    expect(await second.run("SELECT count(*) FROM kept")).toEqual([{ count: "50" }]);
    second.child.kill("SIGTERM");
    expect(await once(second.child, "exit")).toEqual([0, null]);
  });

  test("a taken port is a sentence", async () => {
    const port = Number(new URL(postgres.endpoint).port);
    await expect(startPostgresEndpoint({ port })).rejects.toThrow(
      `Port ${port} is taken: stop what uses it, or choose another port.`,
    );
  });
});
