// The HTTP server under the routes. What never becomes a request is refused as JSON too: the stock client parses every
// answer, and tries six times where it cannot.
import { STATUS_CODES, createServer } from "node:http";
import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import { RequestError, getRequestListener } from "@hono/node-server";
import { errorBody } from "./errors.ts";

/** Longer than idle connections of usual clients and proxies live: the other side closes first, and no request is lost. */
const KEEP_ALIVE_MS = 75_000;

/** Makes the server for a bridge's routes; it does not listen yet. */
export function createListener(fetch: Parameters<typeof getRequestListener>[0]): Server {
  const listener = getRequestListener(fetch, {
    // HTTP/1.0 needs no Host, and nothing here depends on it.
    hostname: "bridge",
    errorHandler: (error) => {
      const status = error instanceof RequestError ? 400 : 500;
      const message = status === 400 ? "Invalid request: Host header or URL" : "Internal error";
      return Response.json(errorBody(status, message), { status });
    },
  });
  const server = createServer({ requireHostHeader: false, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    // The listener answers every failure itself.
    void listener(request, response);
  });
  server.on("clientError", refuse);
  return server;
}

/** By Node's codes; everything else it does not understand is a bad request. */
const statuses = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);

function refuse(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status = statuses.get(error.code ?? "") ?? 400;
  const reason = STATUS_CODES[status] ?? "";
  const body = JSON.stringify(errorBody(status, `Invalid request: ${reason}`));
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
