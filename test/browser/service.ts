// A stand-in for the API Worker: the built page with its own headers, a provider, fixture answers in the contract's
// shape, and a live socket that a test plays frames on.
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { WebSocketServer, type WebSocket } from "ws";
import { overviewAnswerSchema } from "../../src/contract/analytics.ts";
import { serverFrameSchema } from "../../src/contract/live-frames.ts";
import { contentPage, overviewOf, welcome } from "./fixtures.ts";
import { FakeIssuer, json } from "./issuer.ts";

const assets = join(import.meta.dirname, "..", "..", ".build", "dashboard");
const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** One service with one dashboard on it. */
export class FakeService {
  readonly issuer = new FakeIssuer();
  /** Changes an overview before it is sent. */
  overview: (answer: Record<string, unknown>) => Record<string, unknown> = (answer) => answer;
  /** What overviews wait for before they are sent. */
  overviewHeld: Promise<unknown> = Promise.resolve();
  /** A problem to answer analytics with, while set. */
  analyticsProblem: { status: number; code: string; title: string } | null = null;
  /** Whether new live connections are refused, as by a server that is down. */
  refusesSockets = false;
  /** What each new socket is told after `welcome`; nothing while null. */
  snapshot: Record<string, unknown> | null = null;
  readonly sockets: WebSocket[] = [];
  /** Paths asked for below `/api`, oldest first. */
  readonly asked: string[] = [];
  /** Tokens that live connections came with. */
  readonly socketTokens: string[] = [];
  readonly #http: Server;
  readonly #ws = new WebSocketServer({ noServer: true, handleProtocols: () => "creator-live.v1" });

  constructor() {
    this.#http = createServer((request, response) => void this.#answer(request, response));
    this.#http.on("upgrade", (request, socket, head) => {
      if (this.refusesSockets) {
        socket.destroy();
        return;
      }
      this.#ws.handleUpgrade(request, socket, head, (ws) => this.#greet(ws, request));
    });
  }

  /** Listens on any free port of this machine alone. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#http.listen(0, "127.0.0.1", resolve);
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`; // it listens on TCP
  }

  /** Sends a frame to every open dashboard; throws when the contract does not know such a frame. */
  say(frame: Record<string, unknown>): void {
    const text = JSON.stringify(serverFrameSchema.parse(frame));
    for (const socket of this.sockets) {
      socket.send(text);
    }
  }

  /** Closes every live connection with `code`. */
  dropSockets(code: number): void {
    for (const socket of this.sockets.splice(0)) {
      socket.close(code);
    }
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const socket of this.sockets.splice(0)) {
      socket.terminate();
    }
    this.#http.closeAllConnections();
    await new Promise((resolve) => {
      this.#http.close(resolve);
    });
  }

  #greet(socket: WebSocket, request: IncomingMessage): void {
    this.socketTokens.push((request.headers["sec-websocket-protocol"] ?? "").split("bearer.")[1] ?? "");
    this.sockets.push(socket);
    socket.on("close", () => {
      const index = this.sockets.indexOf(socket);
      if (index !== -1) {
        this.sockets.splice(index, 1);
      }
    });
    socket.on("message", (data: Buffer) => {
      if (data.toString() === "ping") {
        socket.send("pong");
      }
    });
    socket.send(JSON.stringify(serverFrameSchema.parse(welcome)));
    if (this.snapshot) {
      socket.send(JSON.stringify(serverFrameSchema.parse(this.snapshot)));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.origin);
    if (url.pathname.startsWith("/issuer/")) {
      return this.issuer.answer(this.origin, request, response);
    }
    if (url.pathname === "/config.json") {
      return json(response, 200, {
        issuer: `${this.origin}/issuer`,
        clientId: "page",
        audience: "creator-dashboard",
        socketPath: "/ws/creator/live-metrics",
        defaultTimeZone: "UTC",
      });
    }
    if (url.pathname.startsWith("/api/")) {
      await this.#answerApi(url, request, response);
      return;
    }
    serveAsset(url.pathname, response);
  }

  async #answerApi(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked.push(url.pathname + url.search);
    const path = url.pathname.replace("/api/v1/creator/", "");
    const token = (request.headers.authorization ?? "").replace("Bearer ", "");
    if (!this.issuer.issued.includes(token)) {
      return problem(response, { status: 401, code: "unauthenticated", title: "Authentication required" });
    }
    if (path === "analytics/overview") {
      await this.overviewHeld;
      return this.analyticsProblem
        ? problem(response, this.analyticsProblem)
        : json(response, 200, overviewAnswerSchema.parse(this.overview(overviewOf(url.searchParams))));
    }
    if (path === "content") {
      return json(response, 200, contentPage);
    }
    return problem(response, { status: 404, code: "not_found", title: "Not found" });
  }
}

function problem(response: ServerResponse, { status, code, title }: { status: number; code: string; title: string }) {
  const body = { type: `/problems/${code}`, title, status, code, detail: `${title}.`, requestId: "req_7" };
  json(response, status, body, { "Content-Type": "application/problem+json", "Retry-After": "2" });
}

/** As the platform serves assets: `_headers` applied, any other path is the page. */
function serveAsset(path: string, response: ServerResponse): void {
  const file = path !== "/" && existsSync(join(assets, path)) ? path : "/index.html";
  const headers = Object.fromEntries(
    readFileSync(join(assets, "_headers"), "utf8")
      .split(/^(?=\/)/m)
      .filter((block) => path.startsWith(block.split("\n")[0]?.replace("*", "") ?? ""))
      .flatMap((block) => block.split("\n").slice(1))
      .filter((line) => line.includes(":"))
      .map((line) => [line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()]),
  ) as Record<string, string>; // pairs of strings
  response.writeHead(200, { ...headers, "Content-Type": types[extname(file)] ?? "application/octet-stream" });
  response.end(readFileSync(join(assets, file)));
}
