// The bridge as a service: its configuration, its command, its limits on callers, its logs, its end.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Kafka, UpstashError } from "@upstash/kafka";
import { openEmbeddedLog } from "../../src/bridge/embedded-log.ts";
import type { EmbeddedLog } from "../../src/bridge/embedded-log.ts";
import { startBridge } from "../../src/bridge/server.ts";
import type { Bridge, BridgeOptions } from "../../src/bridge/server.ts";
import { limitsOf, readSettings } from "../../src/bridge/settings.ts";
import { createLog } from "../../src/runtime/log.ts";
import { restClient } from "./rest-client.ts";
import type { Message } from "./rest-client.ts";

const login = { username: "service", password: "service-password" };
const basic = `${login.username}:${login.password}`;
let folder = "";
let log: EmbeddedLog;
let bridge: Bridge | undefined;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "bridge-service-"));
  log = await openEmbeddedLog({ folder: join(folder, "in-process") });
  await log.createTopic("t", 1);
});

afterEach(async () => {
  child?.kill("SIGKILL");
  await bridge?.close();
  bridge = undefined;
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<BridgeOptions> = {}) {
  bridge = await startBridge({ log, port: 0, credentials: [login], ...options });
  return restClient(bridge.url, basic);
}

const credentials = JSON.stringify([login]);

/** The settings of a bridge, or of a Kafka, that whoever runs the tests may have are not for this one. */
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("KAFKA_") && !name.startsWith("BRIDGE_")),
);

/** Runs `npm run bridge`'s own file, and waits for its first log line. */
async function runService(env: Record<string, string>) {
  child = spawn(process.execPath, [join(import.meta.dirname, "../../src/bridge/main.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...inherited, BRIDGE_PORT: "0", BRIDGE_DATA: join(folder, "service"), ...env },
  });
  const lines: Record<string, unknown>[] = [];
  const { stdout } = child;
  if (stdout === null) {
    throw new Error("the service has no output");
  }
  const reader = createInterface({ input: stdout });
  const exited = new Promise<number | null>((resolve) => child?.once("exit", resolve));
  const first = new Promise<Record<string, unknown>>((resolve) => {
    reader.on("line", (line) => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
      resolve(lines[0] ?? {});
    });
  });
  return { lines, exited, first: await first };
}

test("the service starts on the embedded log with the design's topics, keeps records over a restart, and ends on SIGTERM", async () => {
  const service = await runService({ BRIDGE_CREDENTIALS: credentials });
  expect(service.first).toMatchObject({ event: "bridge.listening", log: "embedded" });
  const rest = restClient(String(service.first["url"]), basic);
  expect((await rest.get("/topics")).json<object>()).toEqual({
    "user.engagement.events": 4,
    "engagement.subscription.changed": 1,
    "payment.processed": 1,
    "moderation.decision.made": 1,
  });
  await rest.post("/produce/payment.processed", { value: "kept" });
  const position = { topic: "payment.processed", partition: 0, offset: 1, timeout: 20_000 };
  const waiting = rest.post("/fetch", position);
  await expect.poll(async () => (await rest.get("/metrics")).text).toContain("bridge_polls_in_flight 1");
  child?.kill("SIGTERM");
  // A poll under way ends with what it has, and its connection with it.
  const answer = await waiting;
  expect([answer.status, answer.text, answer.headers["connection"]]).toEqual([200, "[]", "close"]);
  expect(await service.exited).toBe(0);
  expect(service.lines.map(({ event }) => event)).toEqual(["bridge.listening", "bridge.stopping", "bridge.stopped"]);

  const again = await runService({ BRIDGE_CREDENTIALS: credentials });
  const found = await restClient(String(again.first["url"]), basic).post("/fetch", { ...position, offset: 0 });
  expect(found.json<Message[]>()).toMatchObject([{ value: "kept" }]);
});

test("without credentials the service does not start, and says which variable is missing", async () => {
  const service = await runService({ BRIDGE_CREDENTIALS: "" });
  expect(service.first).toMatchObject({ level: "error", event: "bridge.not.started" });
  expect(String(service.first["error"])).toContain("BRIDGE_CREDENTIALS");
  expect(await service.exited).toBe(1);
});

test.each([
  ["BRIDGE_CREDENTIALS", "not json"],
  ["BRIDGE_CREDENTIALS", "[]"],
  ["BRIDGE_CREDENTIALS", '[{"username":"a:b","password":"long-enough"}]'],
  ["BRIDGE_CREDENTIALS", '[{"username":"a","password":"sécret-long"}]'],
  ["BRIDGE_CREDENTIALS", '[{"username":"a","password":"long-enough","verbs":["delete"]}]'],
  ["KAFKA_BROKERS", "kafka"],
  ["KAFKA_TLS", "yes"],
  ["KAFKA_SASL_MECHANISM", "GSSAPI"],
  ["KAFKA_SASL_MECHANISM", "PLAIN"],
  ["BRIDGE_PORT", "http"],
  ["BRIDGE_TOPICS", "a:b"],
  ["BRIDGE_TOPICS", "sécret"],
  ["BRIDGE_CREDENTIALS", '[{"username":"a","password":"long-enough","sécret":"x"}]'],
  ["KAFKA_BROKERS", "::1:9092"],
  ["KAFKA_TLS", "true"],
  ["KAFKA_TLS_CA_FILE", "sécret.pem"],
  ["KAFKA_SASL_USERNAME", "sécret"],
  ["KAFKA_SASL_PASSWORD", "sécret"],
  ["BRIDGE_MAX_POLLS", "0"],
  ["BRIDGE_MAX_INSTANCES", "many"],
  ["BRIDGE_MAX_TIMEOUT_MS", "30000"],
])("a wrong %s is named, and its value is not shown: %s", (name, value) => {
  const read = () => readSettings({ BRIDGE_CREDENTIALS: credentials, [name]: value });
  expect(read).toThrow(name);
  expect(read).toThrow(/^(?![^]*(long-enough|sécret))/);
});

test("brokers may be names and addresses of both kinds, and every limit can be set", () => {
  const brokers = "kafka-1.internal:9092,10.0.0.1:9092,[::1]:9092";
  const limits = { BRIDGE_MAX_POLLS: "2", BRIDGE_MAX_INSTANCES: "3", BRIDGE_MAX_TIMEOUT_MS: "4000" };
  const settings = readSettings({ BRIDGE_CREDENTIALS: credentials, KAFKA_BROKERS: brokers, ...limits });
  expect(settings.KAFKA_BROKERS).toBe(brokers);
  expect(limitsOf(settings)).toEqual({ maxPolls: 2, maxInstances: 3, maxTimeoutMs: 4_000 });
});

test.each([
  [{ KAFKA_TLS_CA_FILE: "/ca.pem" }, "KAFKA_TLS_CA_FILE does nothing without KAFKA_TLS=true"],
  [{ KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p" }, "KAFKA_SASL_PASSWORD need each other"],
  [{ KAFKA_SASL_MECHANISM: "PLAIN", KAFKA_SASL_USERNAME: "u" }, "KAFKA_SASL_PASSWORD need each other"],
  [{ KAFKA_BROKERS: "", KAFKA_TLS: "true" }, "do nothing without KAFKA_BROKERS"],
])("settings that would do nothing are refused: %o", (settings, reason) => {
  const read = () => readSettings({ BRIDGE_CREDENTIALS: credentials, KAFKA_BROKERS: "kafka:9092", ...settings });
  expect(read).toThrow(reason);
});

test("a caller that is too fast gets a 429 with Retry-After, and another one does not suffer", async () => {
  let now = 1_000_000;
  const other = { username: "other", password: "other-password" };
  const rest = await start({
    credentials: [login, other],
    limits: { requestsPerSecond: 5 },
    clock: { now: () => now },
  });
  const statuses = async () => (await rest.get("/topics")).status;
  for (let i = 0; i < 10; i++) {
    expect(await statuses()).toBe(200);
  }
  const refused = await rest.get("/topics");
  expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
  expect(refused.json()).toMatchObject({ result: "Error", status: 429 });
  expect((await rest.get("/topics", { login: "other:other-password" })).status).toBe(200);
  now += 200;
  expect([await statuses(), await statuses()]).toEqual([200, 429]);
});

test("a machine's clock that is set back stops nobody", async () => {
  const rest = await start({ limits: { requestsPerSecond: 5 } });
  await expect.poll(async () => (await rest.get("/topics")).status, { interval: 0 }).toBe(429);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 3_600_000 });
  try {
    await expect.poll(async () => (await rest.get("/topics")).status, { timeout: 3_000 }).toBe(200);
  } finally {
    vi.useRealTimers();
  }
});

test("a name whose logins fail too often from an address has to wait there, whatever it sends, and for some seconds only", async () => {
  let now = 1_000_000;
  const rest = await start({ clock: { now: () => now } });
  const guess = async () => (await rest.get("/topics", { login: "service:a-wrong-guess" })).status;
  const statuses = new Set<number>();
  for (let i = 0; i < 50; i++) {
    statuses.add(await guess());
  }
  expect([...statuses]).toEqual([401]);
  const refused = await rest.get("/topics");
  expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
  expect(refused.json()).toMatchObject({ result: "Error", status: 429 });
  now += 1_000;
  expect((await rest.get("/topics")).status).toBe(200);
  // Good logins cost nothing.
  for (let i = 0; i < 10; i++) {
    expect((await rest.get("/topics")).status).toBe(200);
  }
});

test("more polls than allowed are refused, and the ones waiting are not disturbed", async () => {
  const rest = await start({ limits: { maxPolls: 2 } });
  const poll = () => rest.post("/fetch", { topic: "t", partition: 0, offset: 0, timeout: 5_000 });
  const waiting = [poll(), poll()];
  await expect.poll(async () => (await rest.get("/metrics")).text).toContain("bridge_polls_in_flight 2");
  expect((await poll()).status).toBe(429);
  await rest.post("/produce/t", { value: "here" });
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
});

/** Sends bytes, and answers what comes back until the other side, or `leave`, ends the connection. */
async function sendRaw(text: string, leave?: Promise<unknown>): Promise<string> {
  const socket = connect(Number(new URL(bridge?.url ?? "").port), "127.0.0.1");
  const chunks: string[] = [];
  socket.on("data", (chunk) => chunks.push(String(chunk)));
  socket.on("error", () => undefined);
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.write(text);
  void leave?.then(() => socket.destroy());
  await ended;
  return chunks.join("");
}

test.each([
  ["a Host that is none", 400, "GET /topics HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n"],
  ["no HTTP", 400, "GARBAGE\r\n\r\n"],
  ["a URL that is too long", 431, `GET /${"x".repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["HTTP/1.0 without a Host and a login", 401, "GET /topics HTTP/1.0\r\n\r\n"],
  ["no Host", 401, "GET /topics HTTP/1.1\r\nConnection: close\r\n\r\n"],
])("%s is a %i in JSON", async (_what, status, text) => {
  await start();
  const [head = "", body = ""] = (await sendRaw(text)).split("\r\n\r\n");
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toMatch(/content-type: application\/json/i);
  expect(JSON.parse(body)).toEqual({ result: "Error", status, error: expect.any(String) as string });
});

test("a client that leaves in the middle of its body is no failure of the bridge", async () => {
  const lines: string[] = [];
  const rest = await start({ logger: createLog({ service: "bridge" }, (line) => lines.push(line)) });
  const head = `POST /produce/t HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ${btoa(basic)}\r\nContent-Length: 1000\r\n\r\n`;
  await sendRaw(`${head}{"value"`, rest.get("/topics"));
  const counted = 'bridge_requests_total{endpoint="produce",status=';
  await expect.poll(async () => (await rest.get("/metrics")).text).toContain(counted);
  expect((await rest.get("/metrics")).text).not.toContain(`${counted}"500"`);
  expect(lines).toEqual([]);
});

test("a poll whose request ends while the bridge drains answers at once", async () => {
  const rest = await start({ drainMs: 5_000 });
  const { port } = new URL(bridge?.url ?? "");
  const body = JSON.stringify({ topic: "t", partition: 0, offset: 0, timeout: 20_000 });
  const head = `POST /fetch HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ${btoa(basic)}\r\nContent-Length: ${body.length}\r\n`;
  const socket = connect(Number(port), "127.0.0.1");
  const chunks: string[] = [];
  socket.on("data", (chunk) => chunks.push(String(chunk)));
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.write(head);
  // A request of another connection: what was sent before has arrived.
  await rest.get("/topics");
  const started = performance.now();
  const closed = bridge?.close();
  socket.write(`\r\n${body}`);
  await Promise.all([closed, ended]);
  expect(chunks.join("")).toMatch(/^HTTP\/1\.1 200[^]*\[\]$/);
  expect(performance.now() - started).toBeLessThan(3_000);
});

test("an instance that nobody asks for leaves its group when its session ends", async () => {
  let now = 1_000_000;
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const rest = await start({ clock: { now: () => now } });
    const headers = { "Kafka-Session-Timeout-Ms": "30000" };
    await rest.post("/consume/group/one", { topic: "t", timeout: 0 }, { headers });
    vi.advanceTimersByTime(6_000);
    expect((await rest.get("/consumers")).text).toContain('"one"');
    now += 30_001;
    vi.advanceTimersByTime(6_000);
    await expect.poll(async () => (await rest.get("/consumers")).text).toBe("[]");
  } finally {
    vi.useRealTimers();
  }
});

test("logs name what was refused and never a payload, a key or a password", async () => {
  const lines: string[] = [];
  const logger = createLog({ service: "bridge" }, (line) => lines.push(line));
  const rest = await start({ logger, logRequests: true });
  await rest.post("/produce/t", { value: "payload-canary", key: "key-canary" });
  await rest.post("/produce/t", '{"value": payload-canary');
  await rest.get("/produce/t/payload-canary?key=key-canary");
  await rest.get("/topics", { login: "service:password-canary" });
  expect(lines.join("\n")).not.toMatch(/canary|service-password/);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { event: "request", endpoint: "produce", status: 200 },
    { event: "request", endpoint: "produce", status: 400 },
    { event: "request", endpoint: "produce", status: 200 },
    { level: "warn", event: "request.refused", status: 401 },
    { event: "request", endpoint: "topics", status: 401 },
  ]);
});

test("the stock client sees an error of ours as its own", async () => {
  await start();
  const kafka = new Kafka({ url: bridge?.url ?? "", username: "service", password: "wrong" });
  // It tries six times with growing pauses; only the pauses are cut short.
  const immediately = setTimeout;
  vi.spyOn(globalThis, "setTimeout").mockImplementation((callback, _ms, ...more) => immediately(callback, 0, ...more));
  try {
    const failed = kafka.admin().topics();
    await expect(failed).rejects.toBeInstanceOf(UpstashError);
    await expect(failed).rejects.toMatchObject({ status: 401, result: "Error" });
  } finally {
    vi.restoreAllMocks();
  }
});
