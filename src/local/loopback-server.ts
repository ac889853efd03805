// HTTP for the local engines: a Node server on loopback whose failures are sentences and whose close() never hangs.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** A server that accepts requests. */
export interface LoopbackServer {
  /** The port it listens on, also when it was asked for any. */
  readonly port: number;
  /** Ends every connection, then the server. */
  close(): Promise<void>;
}

/** Longer than any client keeps an idle connection, so that no request meets a socket we are just closing. */
const KEEP_ALIVE_MS = 75_000;

/**
 * Listens on 127.0.0.1.
 * @param port 0 for any free one
 * @throws Error with a sentence when the port is taken
 */
export async function listenOnLoopback(
  port: number,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void> | void,
): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`Port ${port} is taken: stop what uses it, or choose another port.`)
          : error,
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new TypeError("a TCP server has a port");
  }
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A request body was larger than its reader allows. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

/**
 * Reads a whole request body.
 * @throws BodyTooLarge beyond `maxBytes`; Error when the client leaves before the end
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Node types a request's chunks as any; without an encoding set they are Buffers.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new BodyTooLarge(`the request is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
