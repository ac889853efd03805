import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { CreatorId } from "../../../src/contract/ids.ts";
import { closeCodes, LIVE_PROTOCOL } from "../../../src/contract/live-frames.ts";
import { rareBatchSchema } from "../../../src/contract/live-rpc.ts";
import { creatorHub, liveRequest } from "../../../src/creator-hub/stubs.ts";
import { LiveClient, newCreator, upgrade } from "./hub-client.ts";

afterEach(() => {
  vi.useRealTimers();
});

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

test("only the protocol's own name is echoed, and the token never reaches the hub", async () => {
  const creatorId = newCreator();

  const response = await upgrade(creatorId, { protocols: `bearer.secret.jwt.text, other, ${LIVE_PROTOCOL}` });

  expect(response.status).toBe(101);
  expect(response.headers.get("sec-websocket-protocol")).toBe(LIVE_PROTOCOL);
  response.webSocket?.accept();
  const forwarded = liveRequest(
    new Request("https://hub/", {
      headers: {
        authorization: "Bearer secret",
        cookie: "a=b",
        "sec-websocket-protocol": `${LIVE_PROTOCOL}, bearer.secret`,
        "x-live-creator-id": "crt_forged",
        upgrade: "websocket",
      },
    }),
    { creatorId, tokenExpiresAt: 1 },
  );
  const headers = Object.fromEntries(forwarded.headers);
  expect(JSON.stringify(headers)).not.toMatch(/secret|forged|a=b/);
  expect(headers).toMatchObject({ "x-live-creator-id": creatorId, "sec-websocket-protocol": LIVE_PROTOCOL });
});

test("a client that offers no protocol gets none echoed", async () => {
  const response = await upgrade(newCreator(), { protocols: "" });

  expect([response.status, response.headers.get("sec-websocket-protocol")]).toEqual([101, null]);
  response.webSocket?.accept();
});

test("a request without an identity, with another creator's, or without an upgrade is refused", async () => {
  const [creatorId, other] = [newCreator(), newCreator()];
  const hub = creatorHub(env, creatorId);
  const request = new Request("https://hub/ws", { headers: { upgrade: "websocket" } });

  const anonymous = await hub.fetch(request);
  const foreign = await hub.fetch(liveRequest(request, { creatorId: other, tokenExpiresAt: inSeconds(60) }));
  const plain = await hub.fetch(
    liveRequest(new Request("https://hub/ws"), { creatorId, tokenExpiresAt: inSeconds(60) }),
  );

  expect([anonymous.status, foreign.status, plain.status]).toEqual([403, 403, 426]);
  expect(await plain.json()).toMatchObject({ code: "upgrade_required", status: 426 });
});

test("the socket after the hundredth is refused with 429, and admitted when one has left", async () => {
  const creatorId = newCreator();
  const clients = await Promise.all(Array.from({ length: 100 }, () => LiveClient.open(creatorId)));

  const refused = await upgrade(creatorId);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "30"]);
  expect(await refused.json()).toMatchObject({ code: "rate_limited" });
  clients[0]?.socket.close(1_000);
  await clients[0]?.closeCode();

  await vi.waitFor(async () => expect((await LiveClient.open(creatorId)).closed).toBeNull());
});

test("a socket is closed with 4401 when its token expires, also after hibernation", async () => {
  const creatorId = newCreator();
  const brief = await LiveClient.open(creatorId, { expiresAt: inSeconds(60) });
  const lasting = await LiveClient.open(creatorId, { expiresAt: inSeconds(3_600) });
  await lasting.frame("snapshot");

  await evictDurableObject(creatorHub(env, creatorId));
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
  await runDurableObjectAlarm(creatorHub(env, creatorId));

  expect(await brief.closeCode()).toBe(closeCodes.tokenExpired);
  expect(lasting.closed).toBeNull();
});

test("a token that expires soon closes its socket by itself", async () => {
  const client = await LiveClient.open(newCreator(), { expiresAt: inSeconds(2) });

  expect(await client.closeCode()).toBe(closeCodes.tokenExpired);
});

test("ping is answered by the runtime, and keeps a socket that would be idle", async () => {
  const creatorId = newCreator();
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 91_000 });
  const silent = await LiveClient.open(creatorId);
  const alive = await LiveClient.open(creatorId);
  await alive.frame("snapshot");

  // The runtime notes pings by the real clock.
  vi.useRealTimers();
  alive.socket.send("ping");
  await alive.pong();
  await runDurableObjectAlarm(creatorHub(env, creatorId));

  expect(await silent.closeCode()).toBe(closeCodes.idle);
  expect(alive.closed).toBeNull();
});

test("a client that confirms what it receives stays, and one that never does is closed with 1013", async () => {
  const creatorId = newCreator();
  const [silent, reading] = [await LiveClient.open(creatorId), await LiveClient.open(creatorId)];
  const { receiptEveryCharacters = 0 } = await reading.frame("welcome");
  let [received, confirmed] = [0, 0];
  reading.socket.addEventListener("message", ({ data }) => {
    received += String(data).length;
    if (received - confirmed >= receiptEveryCharacters) {
      confirmed = received;
      reading.socket.send(JSON.stringify({ type: "receipt", characters: received }));
    }
  });

  for (let number = 1; number <= 300; number += 1) {
    await creatorHub(env, creatorId).applyRare(longDecision(creatorId, number));
    await reading.frame("moderation.decision", ({ alert }) => alert.reason.startsWith(`${number} `));
  }

  expect(await silent.closeCode()).toBe(closeCodes.tryLater);
  expect(received).toBeGreaterThan(1_048_576);
  expect(reading.closed).toBeNull();
});

/** A decision that takes some 4,000 characters to tell. */
const longDecision = (creatorId: CreatorId, number: number) =>
  rareBatchSchema.parse({
    v: 1,
    creatorId,
    source: "moderation.decision.made:0",
    epoch: 1,
    events: [
      {
        kind: "moderation",
        offset: number,
        broadcast: true,
        event: {
          eventId: `d_${number}`,
          decisionId: `d_${number}`,
          creatorId,
          contentId: "cnt_7",
          decision: "removed",
          reason: `${number} `.padEnd(4_000, "x"),
          occurredAt: "2026-11-22T20:00:00Z",
        },
      },
    ],
  });

test.each([["hello"], ['{"type":"subscribe","creatorId":"crt_2"}'], ["x".repeat(1_000_000)], [new ArrayBuffer(8)]])(
  "hostile input closes its socket with 4400 and no other (%#)",
  async (message) => {
    const creatorId = newCreator();
    const hostile = await LiveClient.open(creatorId);
    const other = await LiveClient.open(creatorId);

    hostile.socket.send(message);

    expect(await hostile.closeCode()).toBe(closeCodes.badMessage);
    other.socket.send("ping");
    await other.pong();
    expect(other.closed).toBeNull();
  },
);
