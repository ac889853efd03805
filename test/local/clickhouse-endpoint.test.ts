import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ClickHouseClient, createClient, TupleParam } from "@clickhouse/client-web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type ClickHouseEndpoint, startClickHouseEndpoint } from "../../src/local/clickhouse/endpoint.ts";
import { listenOnLoopback } from "../../src/local/loopback-server.ts";

let clickhouse: ClickHouseEndpoint;
let writer: ClickHouseClient;
let reader: ClickHouseClient;

beforeAll(async () => {
  clickhouse = await startClickHouseEndpoint({
    username: "pipeline",
    password: "päss:word",
    reader: { username: "dashboard", password: "look only" },
  });
  const { url, username, password } = clickhouse;
  writer = createClient({ url, username, password: latin1(password) });
  reader = createClient({ url, ...clickhouse.reader });
  await writer.command({
    query: "CREATE TABLE visit (id UInt64, page String, at DateTime('UTC'), note Nullable(String)) ORDER BY id",
  });
  await writer.command({
    query: "INSERT INTO visit SELECT number, concat('/', toString(number % 7)), number, NULL FROM numbers(100000)",
  });
});

afterAll(() => clickhouse.close());

/** `btoa`, which the client uses, takes one byte per character: these bytes are the password's UTF-8. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

const summarySchema = z.record(z.string(), z.string());

/** The endpoint without the client. */
function post(path: string, body: string | Uint8Array<ArrayBuffer> = "", headers: Record<string, string> = {}) {
  const { username, password } = clickhouse;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  return fetch(new URL(path, clickhouse.url), { method: "POST", body, headers: { authorization, ...headers } });
}

async function rows(
  query: string,
  query_params: Record<string, unknown> = {},
  clickhouse_settings: Record<string, string | number> = {},
): Promise<unknown[][]> {
  const result = await writer.query({ query, query_params, clickhouse_settings, format: "JSONCompact" });
  const { data } = await result.json<unknown[]>();
  return data;
}

/** What the table of inserts holds. */
const lines = (kind: string) => rows("SELECT n, s FROM line WHERE kind = {kind:String} ORDER BY n", { kind });

/** The client with another login. */
const as = (username: string, password: string) => createClient({ url: clickhouse.url, username, password });

describe("parameters", () => {
  test.each<[string, string, unknown, unknown]>([
    ["text with quotes", "String", `it's "quoted" \`back\``, `it's "quoted" \`back\``],
    ["text with backslashes and breaks", "String", "a\\b\\n\n\t\r\\'", "a\\b\\n\n\t\r\\'"],
    ["text in any script", "String", "日本 👩‍👩‍👧 naïve", "日本 👩‍👩‍👧 naïve"],
    ["text that looks like SQL", "String", "'); DROP TABLE visit; --", "'); DROP TABLE visit; --"],
    ["an empty text", "String", "", ""],
    ["a null", "Nullable(String)", null, null],
    ["the text \\N in a nullable", "Nullable(String)", "\\N", "\\N"],
    ["a boolean", "Bool", true, true],
    ["a negative number", "Int8", -5, -5],
    ["a large number", "UInt64", 18446744073709551615n, "18446744073709551615"],
    ["a decimal", "Decimal(18, 4)", "12.3400", 12.34],
    ["an instant", "DateTime('UTC')", new Date("2026-11-01T10:20:30Z"), "2026-11-01 10:20:30"],
    ["an instant as text", "DateTime('UTC')", "2026-11-01 10:20:30", "2026-11-01 10:20:30"],
    ["milliseconds", "DateTime64(3, 'UTC')", new Date("2026-11-01T10:20:30.123Z"), "2026-11-01 10:20:30.123"],
    ["a date", "Date", "2026-11-01", "2026-11-01"],
    ["an array of numbers", "Array(UInt32)", [1, 2, 3], [1, 2, 3]],
    ["an array of texts", "Array(String)", ["it's", "a\\b\n", "日本", ""], ["it's", "a\\b\n", "日本", ""]],
    ["an array of nullables", "Array(Nullable(String))", ["a", null], ["a", null]],
    ["an empty array", "Array(String)", [], []],
    ["a tuple", "Tuple(UInt8, String)", new TupleParam([1, "x'y"]), [1, "x'y"]],
    ["a map", "Map(String, UInt8)", { "k'": 1 }, { "k'": 1 }],
    ["an enum", "Enum8('a' = 1, 'b' = 2)", "b", "b"],
  ])("%s arrives as it was sent", async (_, type, value, expected) => {
    const settings = { output_format_json_quote_64bit_integers: 1 };
    expect(await rows(`SELECT {value:${type}}`, { value }, settings)).toEqual([[expected]]);
  });

  test("an identifier names a table and a column", async () => {
    expect(
      await rows("SELECT max({column:Identifier}) FROM {table:Identifier} WHERE id < {below:UInt64}", {
        table: "visit",
        column: "id",
        below: 10,
      }),
    ).toEqual([[9]]);
  });

  test("many long parameters travel in a multipart body", async () => {
    const values = Array.from({ length: 5_000 }, (_, i) => `it's ${i}`);
    const result = await writer.query({
      query: "SELECT length({values:Array(String)}), {values:Array(String)}[4000]",
      query_params: { values },
      use_multipart_params_auto: true,
      format: "JSONCompactEachRow",
    });
    expect(await result.json()).toEqual([[5_000, "it's 3999"]]);
  });

  test("a parameter of an earlier request is not known to a later one", async () => {
    await rows("SELECT {secret:String}", { secret: "x" });
    await expect(rows("SELECT {secret:String}")).rejects.toMatchObject({
      code: "456",
      type: "UNKNOWN_QUERY_PARAMETER",
    });
  });

  test("a value that is not of its type is refused", async () => {
    await expect(rows("SELECT {n:UInt8}", { n: "many" })).rejects.toMatchObject({ code: "457" });
  });
});

describe("formats", () => {
  test.each([
    ["TabSeparated", "0\t/0\t\\N\n1\t/1\t\\N\n"],
    ["CSV", '0,"/0",\\N\n1,"/1",\\N\n'],
    ["CSVWithNames", '"id","page","note"\n0,"/0",\\N\n1,"/1",\\N\n'],
    ["JSONEachRow", '{"id":0,"page":"\\/0","note":null}\n{"id":1,"page":"\\/1","note":null}\n'],
    ["JSONCompactEachRow", '[0, "\\/0", null]\n[1, "\\/1", null]\n'],
  ] as const)("%s is the engine's own", async (format, text) => {
    const result = await writer.query({
      query: "SELECT id, page, note FROM visit ORDER BY id LIMIT 2",
      format,
    });
    expect(await result.text()).toBe(text);
  });

  test("JSON carries meta, data, rows and statistics", async () => {
    const result = await writer.query({ query: "SELECT 1 AS one, 'a' AS letter", format: "JSON" });
    expect(await result.json()).toMatchObject({
      meta: [
        { name: "one", type: "UInt8" },
        { name: "letter", type: "String" },
      ],
      data: [{ one: 1, letter: "a" }],
      rows: 1,
    });
  });

  test("a streamed result arrives row by row", async () => {
    const result = await writer.query({ query: "SELECT number FROM numbers(1000)", format: "JSONEachRow" });
    let count = 0;
    const stream: ReadableStream<unknown[]> = result.stream();
    for await (const chunk of stream) {
      count += chunk.length;
    }
    expect(count).toBe(1000);
  });

  test("a query in no format answers in the default one", async () => {
    expect(await (await post("/", "SELECT 1, 'a'")).text()).toBe("1\ta\n");
    expect(await (await post("/?default_format=CSV", "SELECT 1, 'a'")).text()).toBe('1,"a"\n');
  });

  test("binary formats arrive byte by byte", async () => {
    const answer = await post("/", "SELECT toUInt16(513), unhex('ff00') FORMAT RowBinary");
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(new Uint8Array([1, 2, 2, 255, 0]));
  });
});

describe("settings", () => {
  test("they hold for their request and no other", async () => {
    const query = "SELECT getSetting('max_block_size'), getSetting('session_timezone')";
    const settings = { max_block_size: "123", session_timezone: "Africa/Lagos" };
    const before = await rows(query);
    expect(await rows(query, {}, settings)).toEqual([[123, "Africa/Lagos"]]);
    expect(await rows(query)).toEqual(before);
  });

  test("a query may have its own beside those of the URL", async () => {
    const query = "SELECT getSetting('max_threads'), getSetting('max_block_size') SETTINGS max_threads = 1";
    expect(await rows(query, {}, { max_block_size: "77" })).toEqual([[1, 77]]);
  });

  test("SET and USE of one request mean nothing to the next", async () => {
    await writer.command({ query: "SET max_block_size = 5" });
    await writer.command({ query: "USE system" });
    await writer.command({ query: "SET readonly = 1" });
    await writer.command({ query: "INSERT INTO visit VALUES (900001, '/set', 0, NULL)" });
    expect(await rows("SELECT currentDatabase(), getSetting('max_block_size') = 5")).toEqual([["default", 0]]);
  });

  test("an unknown one is refused", async () => {
    await expect(rows("SELECT 1", {}, { no_such_setting: "1" })).rejects.toMatchObject({
      code: "115",
      type: "UNKNOWN_SETTING",
    });
  });

  test("max_execution_time stops a query", async () => {
    const start = performance.now();
    const slow = rows("SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1", {}, { max_execution_time: 1 });
    await expect(slow).rejects.toMatchObject({ code: "159", type: "TIMEOUT_EXCEEDED" });
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test("integers of 64 bits are quoted when asked", async () => {
    const query = "SELECT toUInt64(9007199254740993)";
    expect(await rows(query, {}, { output_format_json_quote_64bit_integers: 1 })).toEqual([["9007199254740993"]]);
  });

  test("the zone is UTC whatever the machine's", async () => {
    expect(await rows("SELECT toString(toDateTime(0)), timezone()")).toEqual([["1970-01-01 00:00:00", "UTC"]]);
  });

  test("the database of the client is the current one", async () => {
    await writer.command({ query: "CREATE DATABASE `od``d`" });
    const there = createClient({
      url: clickhouse.url,
      username: clickhouse.username,
      password: latin1(clickhouse.password),
      database: "od`d",
    });
    await there.command({ query: "CREATE TABLE here (i UInt8) ORDER BY i" });
    await there.insert({ table: "here", values: [{ i: 1 }], format: "JSONEachRow" });
    expect(await rows("SELECT count() FROM `od``d`.here")).toEqual([[1]]);
  });
});

describe("inserts", () => {
  beforeAll(() =>
    writer.command({ query: "CREATE TABLE line (kind String, n Int64, s Nullable(String)) ORDER BY (kind, n)" }),
  );

  const awkward = `a;b "c" 'd' \\ \n\té日本`;

  test.each([
    ["JSONEachRow", { kind: "JSONEachRow", n: 1, s: awkward }, { kind: "JSONEachRow", n: 2, s: null }],
    ["JSONCompactEachRow", ["JSONCompactEachRow", 1, awkward], ["JSONCompactEachRow", 2, null]],
    [
      "JSONCompactStringsEachRow",
      ["JSONCompactStringsEachRow", "1", awkward],
      ["JSONCompactStringsEachRow", "2", "ᴺᵁᴸᴸ"],
    ],
  ] as const)("client.insert in %s keeps every value", async (format, ...values) => {
    await writer.insert({ table: "line", values: [...values], format });
    expect(await lines(format)).toEqual([
      [1, awkward],
      [2, null],
    ]);
  });

  test("columns may be chosen, and left out", async () => {
    await writer.insert({
      table: "line",
      columns: ["kind", "n"],
      values: [["chosen", 1]],
      format: "JSONCompactEachRow",
    });
    await writer.insert({
      table: "default.line",
      columns: { except: ["n"] },
      values: [{ kind: "left-out", s: "x" }],
      format: "JSONEachRow",
    });
    expect([await lines("chosen"), await lines("left-out")]).toEqual([[[1, null]], [[0, "x"]]]);
  });

  test.each([
    [
      "in the body after VALUES",
      "/",
      `INSERT INTO line VALUES ('values', 1, 'a;b'), ('values', 2, ');');`,
      "values",
      2,
    ],
    ["in the body after a format", "/", `INSERT INTO line FORMAT CSV\n"csv",1,"a;\n""b"""\n"csv",2,;\n`, "csv", 2],
    [
      "in the body, the SQL in the URL",
      `/?query=${encodeURIComponent("INSERT INTO line (kind, n) FORMAT TSV")}`,
      "tsv\t1\ntsv\t2\n",
      "tsv",
      2,
    ],
    ["from a query", "/", "INSERT INTO line SELECT 'query', number, 'x' FROM numbers(3)", "query", 3],
    [
      "from a query in parentheses",
      "/",
      "/* ; */ INSERT INTO line (SELECT 'nested', number, ';' FROM numbers(3)) -- ;",
      "nested",
      3,
    ],
  ])("rows %s are written and counted", async (_, path, body, kind, count) => {
    const response = await post(path, body);
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(await lines(kind)).toHaveLength(count);
    const summary = summarySchema.parse(JSON.parse(response.headers.get("x-clickhouse-summary") ?? ""));
    expect(summary["written_rows"]).toBe(String(count));
  });

  test("binary rows are written byte by byte", async () => {
    await writer.command({ query: "CREATE TABLE raw (b String) ORDER BY b" });
    const query = Buffer.from("INSERT INTO raw FORMAT RowBinary\n");
    const response = await post("/", new Uint8Array([...query, 3, 0, 255, 10]));
    expect(response.status).toBe(200);
    expect(await rows("SELECT hex(b) FROM raw")).toEqual([["00FF0A"]]);
  });

  test("a bad row fails the insert and names itself", async () => {
    const bad = writer.insert({ table: "line", values: [{ kind: "bad", n: "many" }], format: "JSONEachRow" });
    await expect(bad).rejects.toMatchObject({ code: "27" });
    expect(await lines("bad")).toEqual([]);
  });

  test("rows written through materialized views are counted as the server counts them", async () => {
    await writer.command({ query: "CREATE TABLE doubled (n Int64) ORDER BY n" });
    await writer.command({ query: "CREATE MATERIALIZED VIEW doubling TO doubled AS SELECT n * 2 AS n FROM line" });
    const { response_headers: headers } = await writer.insert({
      table: "line",
      values: [{ kind: "view", n: 21 }],
      format: "JSONEachRow",
    });
    expect(JSON.parse(String(headers["x-clickhouse-summary"]))).toMatchObject({ written_rows: "2" });
    await writer.command({ query: "DROP TABLE doubling" });
    expect(await rows("SELECT n FROM doubled")).toEqual([[42]]);
  });
});

describe("answers", () => {
  test("the summary counts the rows that were read, not those that were returned", async () => {
    const result = await writer.query({
      query: "SELECT count() FROM visit WHERE NOT ignore(page)",
      format: "JSON",
      query_id: "the-query",
    });
    await result.text();
    expect(result.query_id).toBe("the-query");
    expect(result.response_headers["x-clickhouse-query-id"]).toBe("the-query");
    const summary = summarySchema.parse(JSON.parse(String(result.response_headers["x-clickhouse-summary"])));
    expect(Number(summary["read_rows"])).toBeGreaterThanOrEqual(100_000);
    expect(Number(summary["read_bytes"])).toBeGreaterThan(100_000);
    expect(summary).toMatchObject({ result_rows: "1", written_rows: "0" });
  });

  test("ping, exec and command work", async () => {
    expect(await writer.ping()).toEqual({ success: true });
    expect(await (await fetch(new URL("/ping", clickhouse.url))).text()).toBe("Ok.\n");
    const { stream } = await writer.exec({ query: "SELECT 'raw' FORMAT TSV" });
    expect(await new Response(stream).text()).toBe("raw\n");
    expect(await writer.command({ query: "OPTIMIZE TABLE visit" })).toMatchObject({ http_status_code: 200 });
  });
});

describe("errors", () => {
  test.each([
    ["SELEC 1", 400, "62", "SYNTAX_ERROR"],
    ["", 400, "62", "SYNTAX_ERROR"],
    ["-- nothing", 400, "62", "SYNTAX_ERROR"],
    ["SELECT 1; SELECT 2", 400, "62", "SYNTAX_ERROR"],
    ["INSERT INTO visit VALUES (1, '', 0, NULL); DROP TABLE visit", 400, "62", "SYNTAX_ERROR"],
    ["SELECT * FROM nowhere", 404, "60", "UNKNOWN_TABLE"],
    ["SELECT nothing FROM visit", 404, "47", "UNKNOWN_IDENTIFIER"],
    ["SELECT nofunction(1)", 404, "46", "UNKNOWN_FUNCTION"],
    ["SELECT throwIf(1, 'as (asked) for')", 500, "395", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"],
    ["SELECT 1 INTO OUTFILE '/tmp/never'", 500, "1", "UNSUPPORTED_METHOD"],
  ])("%j is %i with code %s", async (query, status, code, type) => {
    const response = await post("/", query);
    expect([response.status, response.headers.get("x-clickhouse-exception-code")]).toEqual([status, code]);
    expect(await response.text()).toMatch(
      new RegExp(`^Code: ${code}\\. DB::Exception: .*\\(${type}\\) \\(version .+\\)\n$`, "s"),
    );
  });

  test.each(["SELECT ';', `;` FROM (SELECT ';' AS `;`) -- ; SELECT 2", "SELECT 1;", "SELECT $x$;$x$ /* ; */ ; "])(
    "%j is one statement",
    async (query) => {
      expect((await post("/", query)).status).toBe(200);
    },
  );

  test("the client makes a ClickHouseError of it", async () => {
    await expect(writer.query({ query: "SELECT * FROM nowhere" })).rejects.toMatchObject({
      code: "60",
      type: "UNKNOWN_TABLE",
      message: expect.stringContaining("nowhere"),
    });
  });

  test("an unknown database is refused", async () => {
    expect((await post("/?database=nowhere", "SELECT 1")).status).toBe(404);
  });

  test("a query that fails half-way leaves nothing in the next answer", async () => {
    for (let i = 0; i < 20; i += 1) {
      const failing = rows(
        "SELECT throwIf(number = 50000), toString(number) FROM numbers(100000)",
        {},
        { max_block_size: 100 },
      );
      await expect(failing).rejects.toMatchObject({ code: "395" });
      expect(await rows("SELECT 1")).toEqual([[1]]);
    }
  });

  test("a role or a session, which do not exist here, is refused rather than ignored", async () => {
    expect((await post("/?session_id=s", "SELECT 1")).status).toBe(501);
  });
});

describe("users", () => {
  test.each([
    ["pipeline", "wrong"],
    ["nobody", "look only"],
    ["dashboard", ""],
  ])("%s with password %j is refused", async (username, password) => {
    await expect(as(username, password).query({ query: "SELECT 1" })).rejects.toMatchObject({
      code: "516",
      type: "AUTHENTICATION_FAILED",
    });
  });

  test("no credentials at all are refused with 403", async () => {
    const response = await fetch(clickhouse.url, { method: "POST", body: "SELECT 1" });
    expect([response.status, response.headers.get("x-clickhouse-exception-code")]).toEqual([403, "516"]);
  });

  test("the reader reads, with settings", async () => {
    const result = await reader.query({
      query: "SELECT count() > 0 AS some FROM visit",
      clickhouse_settings: { max_execution_time: 5 },
      format: "JSONEachRow",
    });
    expect(await result.json()).toEqual([{ some: 1 }]);
  });

  test.each([
    "INSERT INTO visit VALUES (1, '', 0, NULL)",
    "INSERT INTO FUNCTION file('never.csv') SELECT 1",
    "WITH 1 AS x INSERT INTO visit (id) SELECT x",
    "DROP TABLE visit",
    "CREATE TABLE more (i UInt8) ORDER BY i",
    "ALTER TABLE visit DELETE WHERE 1",
    "TRUNCATE TABLE visit",
    "OPTIMIZE TABLE visit",
    "SYSTEM FLUSH LOGS",
    "KILL QUERY WHERE 1",
    "SELECT 1 SETTINGS readonly = 0",
    "SET readonly = 0",
  ])("the reader is refused %s", async (query) => {
    await expect(reader.command({ query })).rejects.toMatchObject({ code: "164", type: "READONLY" });
  });

  test("the reader cannot lift its own bounds by a setting", async () => {
    await expect(
      reader.command({ query: "DROP TABLE visit", clickhouse_settings: { readonly: "0" } }),
    ).rejects.toMatchObject({ code: "164" });
  });

  test("a GET writes nothing, whoever asks", async () => {
    const { username, password } = clickhouse;
    const url = new URL(clickhouse.url);
    url.searchParams.set("query", "DROP TABLE visit");
    const headers = { "x-clickhouse-user": username, "x-clickhouse-key": Buffer.from(password).toString("latin1") };
    const response = await fetch(url, { headers });
    expect(response.headers.get("x-clickhouse-exception-code")).toBe("164");
  });
});

describe("many at once", () => {
  test("parallel queries have their own parameters and settings", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        rows("SELECT {i:UInt32}, getSetting('max_block_size')", { i }, { max_block_size: String(i + 1) }),
      ),
    );
    expect(answers).toEqual(answers.map((_, i) => [[i, i + 1]]));
  });

  test("a slow query does not hold up a quick one", async () => {
    const slow = rows(
      "SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1",
      {},
      { max_execution_time: 3, max_threads: 1 },
    ).then(
      () => "done",
      () => "stopped",
    );
    const quick = Promise.all(Array.from({ length: 8 }, () => rows("SELECT count() FROM visit"))).then(() => "quick");
    expect(await Promise.race([slow, quick])).toBe("quick");
    expect(await slow).toBe("stopped");
  });

  test("a client that leaves stops its query, when it asked for that", async () => {
    const abort = new AbortController();
    const left = writer.query({
      query: "SELECT count() FROM numbers(1e15) WHERE sipHash64(number) = 1",
      clickhouse_settings: { cancel_http_readonly_queries_on_client_close: 1, max_threads: 1 },
      query_id: "left-alone",
      abort_signal: abort.signal,
    });
    const running = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'left-alone'";
    await expect.poll(() => rows(running), { timeout: 10_000 }).toEqual([[1]]);
    abort.abort();
    await expect(left).rejects.toThrow("aborted");
    await expect.poll(() => rows(running), { timeout: 10_000 }).toEqual([[0]]);
  });
});

describe("a data folder", () => {
  const main = fileURLToPath(new URL("../../src/local/clickhouse/main.ts", import.meta.url));
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "clickhouse-"));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  async function startProcess() {
    const server = await listenOnLoopback(0, () => undefined);
    await server.close();
    const child = spawn(process.execPath, [main], {
      env: {
        PORT: String(server.port),
        DATA_FOLDER: folder,
        CLICKHOUSE_WRITER: "w:w",
        CLICKHOUSE_READER: "r:r",
        TZ: "Africa/Lagos",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    return { child, client: createClient({ url: `http://127.0.0.1:${server.port}`, username: "w", password: "w" }) };
  }

  test("survives a killed process with every acknowledged insert, and ends in order while a query runs", async () => {
    const first = await startProcess();
    await first.client.command({ query: "CREATE TABLE kept (n UInt64) ORDER BY n" });
    for (let i = 0; i < 20; i += 1) {
      await first.client.insert({ table: "kept", values: [{ n: i }], format: "JSONEachRow" });
    }
    await expect(startClickHouseEndpoint({ dataFolder: folder })).rejects.toThrow(
      `The data folder ${folder} is in use by process ${first.child.pid}: stop it, or use another folder.`,
    );
    first.child.kill("SIGKILL");
    await once(first.child, "exit");

    const second = await startProcess();
    const kept = await second.client.query({
      query: "SELECT count() AS n, toString(toDateTime(0)) AS epoch FROM kept",
      format: "JSONEachRow",
    });
    expect(await kept.json()).toEqual([{ n: 20, epoch: "1970-01-01 00:00:00" }]);
    const cut = second.client.query({ query: "SELECT count() FROM numbers(1e15) WHERE sipHash64(number) = 1" });
    await expect
      .poll(
        async () => {
          const query = "SELECT count() AS n FROM system.processes WHERE query LIKE '%numbers(1e15)%'";
          const running = await second.client.query({ query, format: "JSONEachRow" });
          return running.json();
        },
        { timeout: 10_000 },
      )
      .toEqual([{ n: 2 }]);
    second.child.kill("SIGTERM");
    await expect(cut).rejects.toThrow("fetch failed");
    expect(await once(second.child, "exit")).toEqual([0, null]);
  });
});
