// The door to the live socket: everything that can be refused is refused here, as a problem, before the upgrade. The
// hub gets a verified identity and no token.
import type { Context } from "hono";
import { BEARER_PROTOCOL_PREFIX } from "../contract/live-frames.ts";
import { creatorHub, liveRequest } from "../creator-hub/stubs.ts";
import { authenticate, bearerOf } from "./authentication.ts";
import type { AppContext } from "./context.ts";
import { limitRate } from "./guards.ts";
import { Problem } from "./problem.ts";
import { problemResponses, type Route } from "./route.ts";

/** Where the socket is. */
export const LIVE_SOCKET_PATH = "/ws/creator/live-metrics";

/** `GET /ws/creator/live-metrics`. */
export const liveSocket: Route = {
  method: "get",
  path: LIVE_SOCKET_PATH,
  access: "public",
  operation: {
    tags: ["Live"],
    summary: "The live socket",
    description:
      "A WebSocket of JSON frames, subprotocol `creator-live.v1`. Programs send the token as `Authorization: Bearer`; browsers offer the subprotocols `creator-live.v1` and `bearer.<token>`, of which only the first is echoed, from an allowed origin. The socket is closed with 4401 when the token expires.",
    security: [{ bearer: [] }],
    parameters: [
      {
        name: "since",
        in: "query",
        description: "The last alert seen: later ones are sent again.",
        schema: { type: "string" },
      },
    ],
    responses: {
      101: { description: "The socket is open; `welcome` and `snapshot` follow." },
      ...problemResponses([
        "unauthenticated",
        "forbidden",
        "upgrade_required",
        "rate_limited",
        "internal",
        "authentication_unavailable",
      ]),
    },
  },
  handle: openSocket,
};

async function openSocket(context: Context<AppContext>): Promise<Response> {
  const { configuration, clock } = context.get("services");
  const request = context.req.raw;
  const creator = await authenticate(tokenOf(request), configuration.auth, clock.now());
  context.get("line")["creatorId"] = creator.creatorId;
  if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") {
    throw new Problem("upgrade_required", "This resource speaks WebSocket only.", {
      headers: { Upgrade: "websocket", Connection: "Upgrade" },
    });
  }
  requireOrigin(request, configuration.allowedOrigins);
  await limitRate(context.env, creator.creatorId, context.get("line"));

  const hub = creatorHub(context.env, creator.creatorId);
  const response = await hub.fetch(liveRequest(request, creator));
  if (response.webSocket) {
    // A response of another object has frozen headers; this one takes those that every response gets.
    return new Response(null, { status: 101, webSocket: response.webSocket, headers: response.headers });
  }
  if (response.status === 429) {
    throw new Problem("rate_limited", "This creator has too many sockets open.", { headers: { "Retry-After": "60" } });
  }
  throw new Problem("internal", "The live socket could not be opened.", {
    cause: new Error(`hub answered ${response.status}: ${await response.text()}`),
  });
}

/** By header, else by subprotocol: a browser can send no header on a socket. Never by the URL, which gets logged. */
function tokenOf(request: Request): string | undefined {
  const authorization = request.headers.get("Authorization");
  if (authorization !== null) {
    return bearerOf(authorization);
  }
  const offered = request.headers.get("Sec-WebSocket-Protocol")?.split(",") ?? [];
  return offered
    .map((protocol) => protocol.trim())
    .find((protocol) => protocol.startsWith(BEARER_PROTOCOL_PREFIX))
    ?.slice(BEARER_PROTOCOL_PREFIX.length);
}

/**
 * Sockets ignore CORS, so the origin is checked here. Only a program has none, and a program proves itself by the
 * header that no page can set on a socket.
 */
function requireOrigin(request: Request, allowedOrigins: readonly string[]): void {
  const origin = request.headers.get("Origin");
  const isAllowed = origin === null ? request.headers.has("Authorization") : allowedOrigins.includes(origin);
  if (!isAllowed) {
    throw new Problem("forbidden", "This origin may not open the live socket.");
  }
}
