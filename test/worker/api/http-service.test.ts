import { env } from "cloudflare:workers";
import { describe, expect, inject, test } from "vitest";
import { createApp } from "../../../src/api/app.ts";
import { routes } from "../../../src/api/routes.ts";
import { createLog } from "../../../src/runtime/log.ts";
import { ALLOWED_ORIGIN, call, newCreator, problemIn } from "./http-client.ts";
import { tokenOf } from "./http-tokens.ts";

/** The same app over another environment, and the lines that it logged. */
function appWith(changes: Partial<Record<keyof ApiEnv, string>>) {
  const lines: string[] = [];
  const log = createLog({ service: "api" }, (line) => lines.push(line));
  const app = createApp({ clock: { now: () => Date.now() }, log });
  const changed = { ...env, ...changes };
  const get = async (path: string, headers: Record<string, string> = {}) =>
    app.request(`https://api.test${path}`, { headers }, changed);
  return { get, lines };
}

test("the process says that it is alive, however it is configured", async () => {
  const { get } = appWith({ AUTH_ISSUER: "", DATABASE_URL: "" });

  const response = await get("/healthz");

  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "ok" });
});

describe("configured wrongly", () => {
  test("every other answer is a 500 that says nothing, and the log names the variables", async () => {
    const { get, lines } = appWith({ DATABASE_URL: "mysql://canary-secret@db/x", ALLOWED_ORIGINS: "" });

    const problem = await problemIn(await get("/config.json"));

    expect(problem).toMatchObject({ code: "internal", status: 500 });
    expect(JSON.stringify(problem)).not.toMatch(/DATABASE_URL|ALLOWED_ORIGINS|canary/);
    expect(lines.join()).toMatch(/missing or malformed variables: ALLOWED_ORIGINS, DATABASE_URL/);
    expect(lines.join()).not.toContain("canary-secret");
  });

  test.each([
    ["a path after an origin", { ALLOWED_ORIGINS: "https://dashboard.test/" }],
    ["a privacy threshold that protects nobody", { PRIVACY_THRESHOLD: "9" }],
    ["a hold that is no number", { PAYOUT_HOLD_HOURS: "three days" }],
  ])("%s is refused", async (_name, changes) => {
    const { get } = appWith(changes);

    expect((await get("/config.json")).status).toBe(500);
  });
});

test("the page learns where to sign in and where the socket is", async () => {
  const response = await call("/config.json");

  expect(await response.json()).toEqual({
    issuer: inject("apiServices").issuer,
    clientId: "creator-dashboard-page",
    audience: "creator-dashboard",
    socketPath: "/ws/creator/live-metrics",
    defaultTimeZone: "UTC",
  });
});

describe("readiness", () => {
  test("names each dependency with its state", async () => {
    const readiness = await (await call("/readyz")).json<{ dependencies: Record<string, { status: string }> }>();

    expect(readiness.dependencies).toMatchObject({ postgres: { status: "ok" }, issuer: { status: "ok" } });
  });

  test("is a 503 that names what does not answer", async () => {
    // Nobody listens on the discard port.
    const { get } = appWith({ NEON_ENDPOINT: "http://127.0.0.1:9/sql" });

    const response = await get("/readyz");

    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      status: "degraded",
      dependencies: { postgres: { status: "unavailable" }, issuer: { status: "ok" } },
    });
  });
});

describe("a dependency that is down", () => {
  test("Postgres: its routes are a 503 with Retry-After that says nothing of the database", async () => {
    const { get, lines } = appWith({
      DATABASE_URL: "postgresql://somebody:canary-password@db.test/creator",
      NEON_ENDPOINT: "http://127.0.0.1:9/sql",
    });
    const Authorization = `Bearer ${await tokenOf(newCreator())}`;

    for (const path of ["content", "revenue", "payout-settings"]) {
      const response = await get(`/api/v1/creator/${path}`, { Authorization });

      expect(response.headers.get("Retry-After")).toMatch(/^\d+$/);
      const problem = await problemIn(response);
      expect(problem).toMatchObject({ code: "storage_unavailable", status: 503 });
      expect(JSON.stringify(problem)).not.toMatch(/canary|127\.0\.0\.1|neon|sql/i);
    }
    expect(lines.join()).not.toContain("canary-password");
  });

  test("the issuer: a token that cannot be checked is a 503, not a sign-out", async () => {
    const { get } = appWith({ AUTH_JWKS_URL: "http://127.0.0.1:9/jwks" });

    const response = await get("/api/v1/creator/content", { Authorization: `Bearer ${await tokenOf(newCreator())}` });

    expect(response.status).toBe(503);
    expect((await problemIn(response)).code).toBe("authentication_unavailable");
  });
});

test("an unknown path is a 404 problem", async () => {
  const response = await call("/api/v1/creator/nothing");

  expect(response.status).toBe(404);
  expect((await problemIn(response)).code).toBe("not_found");
});

test.each([...new Set(routes.map(({ path }) => path))])("%s refuses other methods and names its own", async (path) => {
  const methods = routes.filter((route) => route.path === path).map(({ method }) => method.toUpperCase());

  const response = await call(path.replaceAll(/\{\w+\}/g, "cnt_1"), undefined, { method: "DELETE" });

  expect(response.status).toBe(405);
  expect(response.headers.get("Allow")?.split(", ")).toEqual(expect.arrayContaining(methods));
  expect((await problemIn(response)).code).toBe("method_not_allowed");
});

describe("every answer", () => {
  const paths = [
    "/healthz",
    "/readyz",
    "/config.json",
    "/openapi.json",
    "/asyncapi.json",
    "/docs",
    "/nowhere",
    "/api/v1/creator/content",
  ];

  test.each(paths)("%s: no browser may sniff, frame, run or leak it", async (path) => {
    const { headers } = await call(path);

    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Strict-Transport-Security")).toMatch(/max-age=\d{8}/);
    expect(headers.get("Content-Security-Policy")).toMatch(/^default-src 'none'/);
    expect(headers.get("Content-Security-Policy")).toContain("frame-ancestors 'none'");
    expect(headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(headers.get("X-Powered-By")).toBeNull();
    expect(headers.get("X-Request-Id")).toMatch(/^[\w-]{1,64}$/);
  });

  test("to a creator is stored nowhere", async () => {
    const { headers } = await call("/api/v1/creator/payout-settings", await tokenOf(newCreator()));

    expect(headers.get("Cache-Control")).toBe("no-store");
  });
});

describe("a request id", () => {
  test("of the client is kept, also in a problem and in the log", async () => {
    const { get, lines } = appWith({});

    const response = await get("/nowhere", { "X-Request-Id": "from-the-client-1" });

    expect(response.headers.get("X-Request-Id")).toBe("from-the-client-1");
    expect((await problemIn(response)).requestId).toBe("from-the-client-1");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ event: "request", requestId: "from-the-client-1", path: "/nowhere", status: 404 }),
    ]);
  });

  test.each(["x".repeat(65), "with space", 'quoted"'])("that is not well formed is replaced: %s", async (id) => {
    const response = await call("/nowhere", undefined, { headers: { "X-Request-Id": id } });

    expect(response.headers.get("X-Request-Id")).not.toBe(id);
  });
});

test("the log has one line for a request, with the creator, and neither token nor query", async () => {
  const { get, lines } = appWith({});
  const creatorId = newCreator();
  const token = await tokenOf(creatorId);

  await get("/api/v1/creator/content?q=canary-search", { Authorization: `Bearer ${token}` });

  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "request", method: "GET", status: 200, creatorId });
  expect(lines[0]).not.toContain("canary-search");
  expect(lines[0]).not.toContain(token);
});

const preflight = (origin: string) =>
  call("/api/v1/creator/payout-settings", undefined, {
    method: "OPTIONS",
    headers: { Origin: origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "If-Match" },
  });

describe("another origin", () => {
  test("that is allowed may read and write, and sees the headers it needs", async () => {
    const response = await preflight(ALLOWED_ORIGIN);

    expect(response.status).toBe(204);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe(ALLOWED_ORIGIN);
    expect(response.headers.get("Access-Control-Allow-Methods")).toContain("PUT");
    expect(response.headers.get("Access-Control-Allow-Headers")).toContain("If-Match");
    expect(response.headers.get("Access-Control-Expose-Headers")).toContain("ETag");
  });

  test("that is allowed can read a problem too", async () => {
    const response = await call("/api/v1/creator/content", undefined, { headers: { Origin: ALLOWED_ORIGIN } });

    expect(response.status).toBe(401);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBe(ALLOWED_ORIGIN);
    expect(response.headers.get("Vary")).toContain("Origin");
  });

  test.each(["https://elsewhere.test", "null", `${ALLOWED_ORIGIN}.elsewhere.test`, "http://dashboard.test"])(
    "%s is not allowed anything",
    async (origin) => {
      const response = await preflight(origin);

      expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
    },
  );
});

// Some hundred requests, which a busy machine answers in more than the usual five seconds.
test("a creator who asks too often is told when to come back, and nobody else is", { timeout: 60_000 }, async () => {
  const token = await tokenOf(newCreator());
  let asked = 0;
  let refused: Response | undefined;
  // The limit's minute may end meanwhile, and counting begin anew: twice the limit is surely too much.
  while (refused === undefined && asked <= 600) {
    const response = await call("/api/v1/creator/content?limit=0", token);
    asked += 1;
    refused = response.status === 429 ? response : undefined;
  }

  expect(asked).toBeGreaterThan(300);
  expect(refused?.headers.get("Retry-After")).toBe("60");
  expect((await call("/api/v1/creator/content?limit=0", await tokenOf(newCreator()))).status).toBe(400);
});
