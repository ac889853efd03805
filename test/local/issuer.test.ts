import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Issuer, startIssuer } from "../../src/local/issuer/issuer.ts";
import { Browser } from "./browser.ts";

const ORIGIN = "http://localhost:8787";
const REDIRECT_URI = `${ORIGIN}/`;
const client: oauth.Client = { client_id: "creator-dashboard-page" };
// oxlint-disable-next-line typescript/no-deprecated -- marked so to stand out; the local issuer is plain HTTP on loopback
const insecure = { [oauth.allowInsecureRequests]: true };
const creators = [
  { creatorId: "crt_ada", name: "Ada Obi", zoneinfo: "Africa/Lagos" },
  { creatorId: "crt_bola", name: "Bola <script>", zoneinfo: "Europe/London" },
];

const claimsSchema = z.looseObject({
  sub: z.string(),
  roles: z.array(z.string()),
  auth_time: z.int(),
  iat: z.int(),
  exp: z.int(),
  jti: z.string(),
});

let folder: string;
let issuer: Issuer;

const start = (port = 0) =>
  startIssuer({
    port,
    dataFolder: join(folder, "issuer"),
    dashboardOrigins: [ORIGIN],
    creators: () => Promise.resolve(creators),
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "issuer-"));
  issuer = await start();
});

afterAll(async () => {
  await issuer.close();
  rmSync(folder, { recursive: true });
});

async function discover(): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer.url);
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { ...insecure, algorithm: "oidc" }));
}

/** Sends the browser to the issuer as the page does, and returns what comes back for the page to finish with. */
async function authorize(browser: Browser, more: Record<string, string> = {}, creatorId = "crt_ada") {
  const server = await discover();
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const url = new URL(server.authorization_endpoint ?? "");
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope: "openid offline_access",
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...more,
  }).toString();
  const shown = await browser.open(url);
  const asked = shown.location === undefined;
  const back = asked ? await browser.post(shown.url, { creatorId }) : shown;
  if (back.location === undefined) {
    throw new Error(`the issuer did not send the browser back: ${back.status} ${back.body}`);
  }
  return { server, verifier, state, nonce, asked, page: shown.body, back: back.location };
}

async function signIn(browser: Browser, more: Record<string, string> = {}, creatorId = "crt_ada") {
  const { server, verifier, state, nonce, asked, back } = await authorize(browser, more, creatorId);
  const parameters = oauth.validateAuthResponse(server, client, back, state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    REDIRECT_URI,
    verifier,
    insecure,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  return { server, tokens, asked };
}

async function claimsOf(token: string) {
  const { payload, protectedHeader } = await jwtVerify(token, createRemoteJWKSet(new URL(issuer.jwksUrl)), {
    issuer: issuer.url,
    audience: "creator-dashboard",
    algorithms: ["ES256"],
  });
  return { ...claimsSchema.parse(payload), typ: protectedHeader.typ };
}

async function refresh(server: oauth.AuthorizationServer, refreshToken = "") {
  const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), refreshToken, insecure);
  return oauth.processRefreshTokenResponse(server, client, response);
}

/** Tells the command where the stack is. */
function noteStack(pid: number): void {
  const url = issuer.url;
  const urls = { dashboardUrl: url, apiUrl: url, consumerUrl: url, issuerUrl: url, kafkaRestUrl: url };
  const secrets = { kafkaRestUsername: "u", kafkaRestPassword: "p", adminToken: "a", demoCreatorId: "crt_demo" };
  writeFileSync(join(folder, "stack.json"), JSON.stringify({ pid, dataFolder: folder, ...urls, ...secrets }));
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

describe("signing in", () => {
  test("code and PKCE give a signed token with the claims of the contract", async () => {
    const { tokens } = await signIn(new Browser());
    const claims = await claimsOf(tokens.access_token);
    expect(claims).toMatchObject({ sub: "crt_ada", roles: ["creator"], zoneinfo: "Africa/Lagos", typ: "at+jwt" });
    expect(claims.exp).toBe(claims.iat + 15 * 60);
    expect(claims.auth_time).toBeGreaterThan(nowSeconds() - 30);
    expect(tokens.expires_in).toBe(15 * 60);
  });

  test("any creator may be named; one who is not known has no zone", async () => {
    const { tokens } = await signIn(new Browser(), {}, " crt_9999 ");
    const claims = await claimsOf(tokens.access_token);
    expect(claims.sub).toBe("crt_9999");
    expect(claims).not.toHaveProperty("zoneinfo");
  });

  test("the page offers creators by name, as text", async () => {
    const { page } = await authorize(new Browser());
    expect(page).toContain("Ada Obi");
    expect(page).toContain("Bola &lt;script&gt;");
    expect(page).not.toContain("<script>");
  });

  test("what cannot be an id is shown again with a reason", async () => {
    const browser = new Browser();
    const url = new URL((await discover()).authorization_endpoint ?? "");
    url.search = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: REDIRECT_URI,
      response_type: "code",
      scope: "openid",
      code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()),
      code_challenge_method: "S256",
    }).toString();
    const shown = await browser.open(url);
    const answer = await browser.post(shown.url, { creatorId: `"><b>` });
    expect(answer.status).toBe(422);
    expect(answer.body).toContain(`value="&quot;&gt;&lt;b&gt;"`);
    expect(answer.body).toContain('role="alert"');
  });

  test("a second sign-in of the same browser asks nothing", async () => {
    const browser = new Browser();
    await signIn(browser);
    expect((await signIn(browser)).asked).toBe(false);
  });

  test("a sign-in page that was left for too long leads back to the dashboard", async () => {
    const answer = await new Browser().open(new URL("/sign-in/gone", issuer.url));
    expect(answer.location?.href).toBe(REDIRECT_URI);
  });

  test.each([
    ["another redirect address", { redirect_uri: "http://evil.test/" }],
    ["another client", { client_id: "other" }],
  ])("%s is refused without going there", async (_, more) => {
    await expect(authorize(new Browser(), more)).rejects.toThrow("the issuer did not send the browser back: 4");
  });

  test("a code is useless without its verifier", async () => {
    const { server, state, back } = await authorize(new Browser());
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      oauth.validateAuthResponse(server, client, back, state),
      REDIRECT_URI,
      oauth.generateRandomCodeVerifier(),
      insecure,
    );
    await expect(oauth.processAuthorizationCodeResponse(server, client, response)).rejects.toMatchObject({
      error: "invalid_grant",
    });
  });
});

describe("signing in again", () => {
  test.each([{ prompt: "login" }, { max_age: "0" }])("%o asks again and renews auth_time", async (more) => {
    const browser = new Browser();
    const first = await claimsOf((await signIn(browser)).tokens.access_token);
    await expect.poll(nowSeconds, { timeout: 5_000 }).toBeGreaterThan(first.auth_time);
    const second = await signIn(browser, more);
    expect(second.asked).toBe(true);
    expect((await claimsOf(second.tokens.access_token)).auth_time).toBeGreaterThan(first.auth_time);
  });

  test("the page says that it is a confirmation, and another creator may take over", async () => {
    const browser = new Browser();
    await signIn(browser);
    const { page } = await authorize(browser, { prompt: "login" });
    expect(page).toContain("Continue as Ada Obi");
    const { tokens } = await signIn(browser, { prompt: "login" }, "crt_bola");
    expect(await claimsOf(tokens.access_token)).toMatchObject({ sub: "crt_bola", zoneinfo: "Europe/London" });
  });
});

describe("renewing", () => {
  test("a refresh token gives a new token of the same sign-in, once", async () => {
    const { server, tokens } = await signIn(new Browser());
    const before = await claimsOf(tokens.access_token);
    await expect.poll(nowSeconds, { timeout: 5_000 }).toBeGreaterThan(before.auth_time);
    const renewed = await refresh(server, tokens.refresh_token);
    const after = await claimsOf(renewed.access_token);
    expect(after).toMatchObject({ sub: "crt_ada", roles: ["creator"], auth_time: before.auth_time });
    expect(after.jti).not.toBe(before.jti);
    await expect(refresh(server, tokens.refresh_token)).rejects.toMatchObject({ error: "invalid_grant" });
  });

  test("a restart keeps keys, sessions and refresh tokens", async () => {
    const browser = new Browser();
    const { server, tokens } = await signIn(browser);
    const { port } = new URL(issuer.url);
    await issuer.close();
    issuer = await start(Number(port));
    // The client may still find out that its old connections are gone.
    await expect
      .poll(() =>
        fetch(issuer.jwksUrl).then(
          ({ ok }) => ok,
          () => false,
        ),
      )
      .toBe(true);
    expect(await claimsOf(tokens.access_token)).toMatchObject({ sub: "crt_ada" });
    expect(await claimsOf((await refresh(server, tokens.refresh_token)).access_token)).toMatchObject({
      sub: "crt_ada",
    });
    expect((await signIn(browser)).asked).toBe(false);
  });
});

describe("signing out", () => {
  test("the page that holds the ID token signs out without a question; the refresh token dies with the session", async () => {
    const browser = new Browser();
    const { server, tokens } = await signIn(browser);
    const url = new URL(server.end_session_endpoint ?? "");
    url.searchParams.set("id_token_hint", tokens.id_token ?? "");
    url.searchParams.set("post_logout_redirect_uri", REDIRECT_URI);
    expect((await browser.open(url)).location?.href).toBe(REDIRECT_URI);
    expect((await signIn(browser)).asked).toBe(true);
    await expect(refresh(server, tokens.refresh_token)).rejects.toMatchObject({ error: "invalid_grant" });
  });

  test("a link without it asks first, and leads nowhere else", async () => {
    const browser = new Browser();
    const { server } = await signIn(browser);
    const url = new URL(server.end_session_endpoint ?? "");
    url.searchParams.set("post_logout_redirect_uri", "http://evil.test/");
    const asked = await browser.open(url);
    expect([asked.status, asked.location]).toEqual([200, undefined]);
    expect(asked.body).toContain("Stay signed in");
    expect((await signIn(browser)).asked).toBe(false);
  });
});

describe("origins", () => {
  test.each([
    [ORIGIN, ORIGIN],
    ["http://evil.test", null],
  ])("the token endpoint answers a page at %s with the permission %s", async (origin, allowed) => {
    const { token_endpoint: endpoint = "" } = await discover();
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { origin },
      body: new URLSearchParams({ grant_type: "refresh_token", client_id: client.client_id, refresh_token: "x" }),
    });
    expect(response.headers.get("access-control-allow-origin")).toBe(allowed);
  });
});

describe("minting", () => {
  test("a minted token has the claims asked for", async () => {
    const token = await issuer.mint({
      creatorId: "crt_bola",
      roles: ["viewer"],
      authAgeSeconds: 600,
      expiresInSeconds: 60,
    });
    const claims = await claimsOf(token);
    expect(claims).toMatchObject({ sub: "crt_bola", roles: ["viewer"], zoneinfo: "Europe/London" });
    expect(claims.exp).toBe(claims.iat + 60);
    expect(claims.auth_time).toBe(claims.iat - 600);
  });

  test("a token may have expired already", async () => {
    await expect(claimsOf(await issuer.mint({ creatorId: "crt_ada", expiresInSeconds: -60 }))).rejects.toMatchObject({
      code: "ERR_JWT_EXPIRED",
    });
  });
});

describe("the token command", () => {
  const command = fileURLToPath(new URL("../../src/local/token.ts", import.meta.url));

  async function run(...args: string[]) {
    const child = spawn(process.execPath, [command, ...args], { env: { DEV_DATA: folder } });
    const [stdout, stderr, status] = await Promise.all([
      new Response(child.stdout as unknown as ReadableStream).text(),
      new Response(child.stderr as unknown as ReadableStream).text(),
      new Promise((resolve) => child.once("exit", resolve)),
    ]);
    return { stdout, stderr, status };
  }

  test("prints one token of the running issuer", async () => {
    noteStack(process.pid);
    const { stdout, status } = await run("--creator", "crt_demo", "--auth-age", "400", "--expires-in", "120");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\S+\n$/);
    const claims = await claimsOf(stdout.trim());
    expect(claims).toMatchObject({ sub: "crt_demo", roles: ["creator"], zoneinfo: "Africa/Lagos" });
    expect([claims.exp, claims.auth_time]).toEqual([claims.iat + 120, claims.iat - 400]);
  });

  test("another role replaces the usual one", async () => {
    noteStack(process.pid);
    const { stdout } = await run("--creator", "crt_demo", "--role", "viewer");
    expect(await claimsOf(stdout.trim())).toMatchObject({ roles: ["viewer"] });
  });

  test.each([
    [[], "--creator takes an id"],
    [["--creator", "a b"], "--creator takes an id"],
    [["--creator", "x", "--auth-age", "soon"], '--auth-age takes a whole number of seconds, not "soon".'],
    [["--creator", "x", "--auth-age=-1"], "--auth-age takes 0 or more seconds"],
    [["--creator", "x", "--expires", "1"], "Unknown option '--expires'"],
  ])("%j is refused with a sentence", async (args, sentence) => {
    const { stdout, stderr, status } = await run(...args);
    expect([stdout, status]).toEqual(["", 1]);
    expect(stderr).toContain(sentence);
    expect(stderr).toContain("Usage: npm run --silent token -- --creator ID");
  });

  test("a stack that does not run, or died, is a sentence", async () => {
    rmSync(join(folder, "stack.json"), { force: true });
    expect((await run("--creator", "x")).stderr).toContain("The local stack is not running (there is no ");
    // Beyond the largest process id of any supported system.
    noteStack(2 ** 30);
    expect((await run("--creator", "x")).stderr).toContain("The local stack is not running (it ended without tidying ");
  });
});
