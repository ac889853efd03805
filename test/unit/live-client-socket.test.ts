// The live client with Node's own WebSocket against a real server: what the scripted socket cannot show.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { LiveClient, type LiveClientState } from "../../src/dashboard/live-client/live-client.ts";

const at = "2026-11-22T20:05:11.120Z";
const welcome = {
  type: "welcome",
  protocol: "creator-live.v1",
  connectionId: "c_1",
  epoch: "h_1",
  serverTime: at,
  pingIntervalSeconds: 25,
  liveWindowSeconds: 45,
};
const snapshot = (liveViewers: number) => ({
  type: "snapshot",
  epoch: "h_1",
  seq: 1,
  at,
  state: "live",
  reason: null,
  asOf: at,
  totals: { liveViewers, views: 1, likes: 1, shares: 1, completions: 1, watchSeconds: 1, items: 0 },
  content: [],
  subscribers: { count: null, asOf: null },
  revenue: { version: 0, lastPaymentAt: null },
  alerts: [],
});

const http = createServer();
const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "creator-live.v1" });
const offers: string[] = [];
let viewers = 0;
let client: LiveClient;

http.on("upgrade", (request, socket, head) => {
  offers.push(request.headers["sec-websocket-protocol"] ?? "");
  sockets.handleUpgrade(request, socket, head, (accepted) => {
    accepted.on("message", (data: Buffer) => {
      if (data.toString() === "ping") {
        accepted.send("pong");
      }
    });
    viewers += 1;
    accepted.send(JSON.stringify(welcome));
    accepted.send(JSON.stringify(snapshot(viewers)));
  });
});

beforeEach(async () => {
  await new Promise<void>((resolve) => {
    http.listen(0, "127.0.0.1", resolve);
  });
  const { port } = http.address() as AddressInfo; // it listens on TCP
  client = new LiveClient({ url: `ws://127.0.0.1:${port}/ws/creator/live-metrics`, token: async () => "a.b-c_d" });
});
afterEach(async () => {
  client.stop();
  for (const socket of sockets.clients) {
    socket.terminate();
  }
  await new Promise((resolve) => {
    http.close(resolve);
  });
});

/** The first state that `holds`; the test's own time limit ends the wait. */
async function stateWhere(holds: (state: LiveClientState) => boolean): Promise<LiveClientState> {
  for await (const state of client.states()) {
    if (holds(state)) {
      return state;
    }
  }
  throw new Error("the client stopped before");
}

test("it connects with the token as a subprotocol, and comes back with the new numbers after a cut", async () => {
  client.start();

  const first = await stateWhere(({ connection }) => connection.phase === "open");

  expect(offers.map((offer) => offer.split(/, ?/))).toEqual([["creator-live.v1", "bearer.a.b-c_d"]]);
  expect(first.numbers.totals.liveViewers).toBe(1);

  for (const socket of sockets.clients) {
    socket.terminate();
  }
  const second = await stateWhere(({ numbers }) => numbers.totals.liveViewers === 2);

  expect(second.connection.phase).toBe("open");
});
