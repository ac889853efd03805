import { describe, expect, test } from "vitest";
import { LIVE_SOCKET_PATH } from "../../../src/api/live-socket.ts";
import { routes } from "../../../src/api/routes.ts";
import { ALLOWED_ORIGIN, call, newCreator, problemIn } from "./http-client.ts";
import { refusedTokens, tokenOf } from "./http-tokens.ts";

/** Every way in, each with a request that only its token can spoil. */
const doors = [
  ...routes
    .filter(({ access }) => access === "creator")
    .map(({ method, path }) => ({
      name: `${method.toUpperCase()} ${path}`,
      open: (token: string | undefined) =>
        call(path.replaceAll(/\{\w+\}/g, "cnt_1"), token, {
          method: method.toUpperCase(),
          ...(method === "put" && { body: "{}", headers: { "Content-Type": "application/json" } }),
        }),
    })),
  {
    name: "the live socket, token by header",
    open: (token: string | undefined) => call(LIVE_SOCKET_PATH, token, { headers: { Upgrade: "websocket" } }),
  },
  {
    name: "the live socket, token by subprotocol",
    open: (token: string | undefined) =>
      call(LIVE_SOCKET_PATH, undefined, {
        headers: {
          Upgrade: "websocket",
          Origin: ALLOWED_ORIGIN,
          "Sec-WebSocket-Protocol": ["creator-live.v1", ...(token === undefined ? [] : [`bearer.${token}`])].join(", "),
        },
      }),
  },
];

describe.each(doors)("$name", ({ open }) => {
  test.each(refusedTokens)("refuses $name", async ({ token, status }) => {
    const response = await open(await token());

    expect(response.status).toBe(status);
    expect(await problemIn(response)).toMatchObject({ code: status === 401 ? "unauthenticated" : "forbidden", status });
    expect(response.headers.get("WWW-Authenticate")).toMatch(/^Bearer realm="creator-dashboard"/);
  });

  test.each(["ES256", "RS256"] as const)("takes a creator's token signed with %s", async (algorithm) => {
    const response = await open(await tokenOf(newCreator(), {}, algorithm));

    expect([401, 403]).not.toContain(response.status);
    await response.body?.cancel();
    response.webSocket?.accept();
    response.webSocket?.close();
  });
});

test("a request without a token is told only that one is needed", async () => {
  const response = await call("/api/v1/creator/content");

  expect(response.headers.get("WWW-Authenticate")).toBe('Bearer realm="creator-dashboard"');
});

test("a token that has expired is told so, so that the client renews it", async () => {
  const response = await call("/api/v1/creator/content", await tokenOf(newCreator(), { exp: 1 }));

  expect(response.headers.get("WWW-Authenticate")).toContain('error="invalid_token"');
  expect(response.headers.get("WWW-Authenticate")).toContain("expired");
});

test("a token in the query opens nothing", async () => {
  const response = await call(`/api/v1/creator/content?access_token=${await tokenOf(newCreator())}`);

  expect(response.status).toBe(401);
});
