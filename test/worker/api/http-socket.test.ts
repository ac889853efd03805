import { assert, describe, expect, test } from "vitest";
import { LIVE_SOCKET_PATH } from "../../../src/api/live-socket.ts";
import { ALLOWED_ORIGIN, call, newCreator, problemIn } from "./http-client.ts";
import { epochSeconds, tokenOf } from "./http-tokens.ts";

/** Opens the socket; the caller closes it. */
const open = (headers: Record<string, string>, token?: string) =>
  call(LIVE_SOCKET_PATH, token, { headers: { Upgrade: "websocket", ...headers } });

/** The first frame that arrives. */
function firstFrame(socket: WebSocket): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("no frame within 5 s")), 5_000);
    socket.addEventListener("message", ({ data }) => {
      clearTimeout(late);
      resolve(JSON.parse(String(data)));
    });
    socket.accept();
  });
}

test("a program opens it with a header and needs no origin", async () => {
  const response = await open({ "Sec-WebSocket-Protocol": "creator-live.v1" }, await tokenOf(newCreator()));

  expect(response.status).toBe(101);
  const socket = response.webSocket;
  assert(socket);
  expect(await firstFrame(socket)).toMatchObject({ type: "welcome", protocol: "creator-live.v1" });
  socket.close();
});

test("a browser opens it with a subprotocol, of which its token is not echoed", async () => {
  const token = await tokenOf(newCreator());

  const response = await open({
    Origin: ALLOWED_ORIGIN,
    "Sec-WebSocket-Protocol": `creator-live.v1, bearer.${token}`,
  });

  expect(response.status).toBe(101);
  expect(response.headers.get("Sec-WebSocket-Protocol")).toBe("creator-live.v1");
  response.webSocket?.accept();
  response.webSocket?.close();
});

describe("an origin", () => {
  test.each([
    "https://elsewhere.test",
    "null",
    "http://dashboard.test",
    `${ALLOWED_ORIGIN}.elsewhere.test`,
    `${ALLOWED_ORIGIN}:8443`,
    `${ALLOWED_ORIGIN}/`,
    "https://xdashboard.test",
  ])("%s may not open it, with however good a token", async (origin) => {
    const token = await tokenOf(newCreator());

    const byHeader = await open({ Origin: origin }, token);
    const byProtocol = await open({ Origin: origin, "Sec-WebSocket-Protocol": `creator-live.v1, bearer.${token}` });

    expect([byHeader.status, byProtocol.status]).toEqual([403, 403]);
    expect((await problemIn(byHeader)).code).toBe("forbidden");
  });

  test("may not be missing where the token came as a browser's does", async () => {
    const response = await open({ "Sec-WebSocket-Protocol": `creator-live.v1, bearer.${await tokenOf(newCreator())}` });

    expect(response.status).toBe(403);
  });
});

test("a plain GET is told to upgrade", async () => {
  const response = await call(LIVE_SOCKET_PATH, await tokenOf(newCreator()));

  expect(response.status).toBe(426);
  expect(response.headers.get("Upgrade")).toBe("websocket");
  expect((await problemIn(response)).code).toBe("upgrade_required");
});

test("identity headers of a client's own making change nothing", async () => {
  const response = await open(
    { "X-Live-Creator-Id": "somebody_else", "X-Live-Token-Expires-At": String(epochSeconds() + 1_000_000) },
    await tokenOf(newCreator(), { roles: ["viewer"] }),
  );

  expect(response.status).toBe(403);
});
