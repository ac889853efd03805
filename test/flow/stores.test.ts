// What the whole product says from its stores: beside the live numbers, after a change, and while ClickHouse is down.
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { defaultTopics } from "../../src/contract/events.ts";
import { Follower } from "../../src/local/follower/follower.ts";
import { ClickHouseHistory } from "../../src/local/follower/history.ts";
import { Ledger } from "../../src/local/follower/ledger.ts";
import { LogClient } from "../../src/local/follower/log-client.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { createLog } from "../../src/runtime/log.ts";
import { DashboardSocket } from "./dashboard-socket.ts";
import { expectedTotals, play, produce, randomOf } from "./events.ts";
import { type Product, startProduct } from "./product.ts";

const DEMO = "crt_demo";

let product: Product;
beforeAll(async () => {
  product = await startProduct({ seeded: true });
  await product.supervise();
});
afterAll(() => product.stop());

type Asked = Omit<RequestInit, "headers"> & { headers?: Record<string, string> };

async function ask(path: string, creatorId: string, init: Asked = {}): Promise<Response> {
  const authorization = `Bearer ${await product.token(creatorId)}`;
  return fetch(`${product.apiUrl}${path}`, { ...init, headers: { authorization, ...init.headers } });
}

const open = async (creatorId: string) => new DashboardSocket(product.apiUrl, await product.token(creatorId));

/** Carries the whole log into ClickHouse, as the pipeline does. */
async function drainIntoHistory(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "creator-dashboard-follower-"));
  const { url, database, writer } = product.databases.clickhouse;
  const history = new ClickHouseHistory({ url, database, ...writer });
  const ledger = new Ledger(folder, randomUUID());
  const follower = new Follower({
    log: new LogClient(product.kafka),
    history,
    ledger,
    clock: systemClock,
    report: createLog({}, () => undefined),
    topics: { engagement: defaultTopics.engagement, subscription: defaultTopics.subscription },
  });
  while ((await follower.step()) > 0) {
    // One batch after the other.
  }
  ledger.close();
  await history.close();
  rmSync(folder, { recursive: true });
}

const overviewSchema = z.object({
  totals: z.object({
    views: z.number(),
    likes: z.number(),
    shares: z.number(),
    completions: z.number(),
    watchTimeSeconds: z.number(),
  }),
});

test("after a drain the history says what the live numbers say", async () => {
  const creatorId = "crt_flow_history";
  const played = play({ creatorId, sessions: 120, items: 4, now: Date.now(), random: randomOf(11) });
  const values = played.map((event) => JSON.stringify(event));
  const expected = expectedTotals(played);
  const socket = await open(creatorId);
  await socket.live();

  await produce(product, defaultTopics.engagement, creatorId, [...values, ...values.slice(0, 40)]);
  await socket.until("every total", ({ totals }) => totals?.watchSeconds === expected.watchSeconds);
  await drainIntoHistory();

  const answer = overviewSchema.parse(
    await (await ask("/api/v1/creator/analytics/overview?range=24h", creatorId)).json(),
  );
  expect(answer.totals).toEqual({
    views: socket.totals?.views,
    likes: socket.totals?.likes,
    shares: socket.totals?.shares,
    completions: socket.totals?.completions,
    watchTimeSeconds: socket.totals?.watchSeconds,
  });
  socket.close();
});

test("a subscription, a payment and a decision that came twice are announced once", async () => {
  const creatorId = "crt_flow_rare";
  const socket = await open(creatorId);
  await socket.live();
  const occurredAt = new Date().toISOString();
  const common = { creatorId, occurredAt };
  const events: [topic: string, event: object][] = [
    [defaultTopics.subscription, { ...common, eventId: "s1", change: "subscribed", subscriberCount: 7 }],
    [
      defaultTopics.payment,
      { ...common, eventId: "p1", paymentId: "pay_1", kind: "ad", amountMinor: 120_000, currency: "NGN" },
    ],
    [
      defaultTopics.moderation,
      {
        ...common,
        eventId: "m1",
        decisionId: "d1",
        contentId: "cnt_1",
        decision: "restricted",
        reason: "Music rights",
      },
    ],
    [defaultTopics.subscription, { ...common, eventId: "s2", change: "subscribed", subscriberCount: 8 }],
    [
      defaultTopics.payment,
      { ...common, eventId: "p2", paymentId: "pay_2", kind: "ad", amountMinor: "5", currency: "USD" },
    ],
    [
      defaultTopics.moderation,
      { ...common, eventId: "m2", decisionId: "d2", contentId: "cnt_1", decision: "reinstated", reason: "Appeal" },
    ],
  ];

  for (const [topic, event] of events) {
    await produce(product, topic, creatorId, [JSON.stringify(event), JSON.stringify(event)]);
  }

  const framesOf = (type: string) => socket.frames.filter((frame) => frame.type === type);
  await socket.until(
    "the last of each",
    () =>
      framesOf("moderation.decision").length >= 2 &&
      framesOf("revenue.changed").length >= 2 &&
      JSON.stringify(framesOf("subscribers").at(-1)).includes('"count":8'),
  );
  expect(framesOf("revenue.changed")).toMatchObject([
    { version: 1, paymentId: "pay_1", amountMinor: "120000", currency: "NGN" },
    { version: 2, paymentId: "pay_2", amountMinor: "5", currency: "USD" },
  ]);
  expect(framesOf("moderation.decision")).toMatchObject([
    { alert: { decision: "restricted" } },
    { alert: { decision: "reinstated" } },
  ]);
  socket.close();
});

test("saved payout settings show on every open dashboard of the creator", async () => {
  const creatorId = "crt_flow_payout";
  const sockets = [await open(creatorId), await open(creatorId)];
  await Promise.all(sockets.map((socket) => socket.live()));

  const saved = await ask("/api/v1/creator/payout-settings", creatorId, {
    method: "PUT",
    headers: { "content-type": "application/json", "idempotency-key": randomUUID() },
    body: JSON.stringify({ currency: "NGN", method: "paystack", paystackAccountId: "RCP_2x5j67tnnw1t98k" }),
  });

  expect(saved.status).toBe(200);
  await Promise.all(
    sockets.map((socket) =>
      socket.until("the change", ({ frames }) => frames.some(({ type }) => type === "payout-settings.changed")),
    ),
  );
  sockets.forEach((socket) => socket.close());
});

test("the published description is a valid OpenAPI 3.1 document", async () => {
  const document = z
    .looseObject({ openapi: z.string() })
    .parse(await (await fetch(`${product.apiUrl}/openapi.json`)).json());

  expect(document.openapi).toMatch(/^3\.1\./);
  expect(await new Validator().validate(document)).toMatchObject({ valid: true });
});

test("with ClickHouse stopped, analytics say so within two seconds and everything else goes on", async () => {
  const socket = await open(DEMO);
  await socket.live();
  const healthy = await ask("/api/v1/creator/analytics/overview", DEMO);
  expect(healthy.status).toBe(200);

  await product.stopClickHouse();

  const promised = { signal: AbortSignal.timeout(2_000) };
  const answers = await Promise.all(
    ["overview", "audience"].map((name) => ask(`/api/v1/creator/analytics/${name}`, DEMO, promised)),
  );
  expect(answers.map(({ status, headers }) => [status, headers.has("retry-after")])).toEqual([
    [503, true],
    [503, true],
  ]);
  expect(await answers[0]?.json()).toMatchObject({ code: "analytics_unavailable" });
  const content = await ask("/api/v1/creator/content", DEMO);
  expect(z.object({ items: z.array(z.unknown()).min(1) }).safeParse(await content.json()).success).toBe(true);
  const revenue = await ask("/api/v1/creator/revenue", DEMO);
  expect(z.object({ currencies: z.array(z.unknown()).min(1) }).safeParse(await revenue.json()).success).toBe(true);
  expect((await ask("/api/v1/creator/payout-settings", DEMO)).status).toBe(200);
  const played = play({
    creatorId: DEMO,
    sessions: 5,
    items: 1,
    now: Date.now(),
    random: randomOf(5),
    prefix: "down-",
  });
  const before = socket.totals?.views ?? 0;
  await produce(
    product,
    defaultTopics.engagement,
    DEMO,
    played.map((event) => JSON.stringify(event)),
  );
  await socket.until("five more views", ({ totals }) => totals?.views === before + 5);
  socket.close();
});
