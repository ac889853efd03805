import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { contentIdSchema, sourceSchema, type CreatorId } from "../../../src/contract/ids.ts";
import { rareBatchSchema, streamShareSchema, type RareBatch } from "../../../src/contract/live-rpc.ts";
import { creatorHub } from "../../../src/creator-hub/stubs.ts";
import { engagement, LiveClient, newCreator } from "./hub-client.ts";

const occurredAt = "2026-11-22T20:00:00Z";
const batch = (creatorId: CreatorId, events: object[]): RareBatch =>
  rareBatchSchema.parse({
    v: 1,
    creatorId,
    source: sourceSchema.parse("payment.processed:0"),
    epoch: 1,
    events: events.map((event, offset) => ({ offset, broadcast: true, ...event })),
  });
const payment = (creatorId: CreatorId, id: string) => ({
  kind: "payment",
  event: { eventId: id, paymentId: id, creatorId, kind: "ad", amountMinor: 120_000, currency: "NGN", occurredAt },
});
const decision = (creatorId: CreatorId, id: string) => ({
  kind: "moderation",
  event: {
    eventId: id,
    decisionId: id,
    creatorId,
    contentId: "cnt_7",
    decision: "removed",
    reason: "Rules.",
    occurredAt,
  },
});

test("rare events are stored while nobody watches, told to whoever does, and counted once over evictions", async () => {
  const creatorId = newCreator();
  const hub = creatorHub(env, creatorId);
  const events = [payment(creatorId, "p_1"), decision(creatorId, "d_1"), payment(creatorId, "p_2")];
  await hub.applyRare(batch(creatorId, events.slice(0, 2)));

  const client = await LiveClient.open(creatorId);
  expect(await client.frame("snapshot")).toMatchObject({ revenue: { version: 1 }, alerts: [{ alertId: "a_1" }] });
  await evictDurableObject(hub);
  expect(await hub.applyRare(batch(creatorId, events))).toEqual({ v: 1, watermark: 3, applied: 1, duplicates: 2 });

  expect(await client.frame("revenue.changed")).toMatchObject({ version: 2, paymentId: "p_2", amountMinor: "120000" });
  expect(client.frames.filter(({ type }) => type === "moderation.decision")).toEqual([]);
});

test("alerts missed while away are replayed from the last one seen", async () => {
  const creatorId = newCreator();
  await creatorHub(env, creatorId).applyRare(
    batch(creatorId, [decision(creatorId, "d_1"), decision(creatorId, "d_2"), decision(creatorId, "d_3")]),
  );

  const client = await LiveClient.open(creatorId, { query: "?since=a_2" });

  const { alerts } = await client.frame("snapshot");
  expect(alerts.map(({ alertId }) => alertId)).toEqual(["a_3"]);
});

test("a finished stream's summary is kept whether or not anyone watched, and told to whoever does", async () => {
  const creatorId = newCreator();
  const hub = creatorHub(env, creatorId);
  const share = streamShareSchema.parse({
    v: 1,
    creatorId,
    source: engagement(0),
    epoch: 1,
    contentId: "cnt_1",
    startedAt: 1_790_000_000_000,
    endedAt: 1_790_000_600_000,
    peakViewers: 4_211,
    peakAt: 1_790_000_300_000,
    viewersPerMinute: { firstMinute: 29_833_333, counts: [100, 300] },
    uniqueSessions: 15_210,
    watchSeconds: 16_322,
    likes: 12,
    shares: 8,
    approximate: false,
  });
  const query = { v: 1, contentId: contentIdSchema.parse("cnt_1") };
  expect(await hub.lastStream(query)).toBeNull();

  await hub.recordStreamShare(share);
  await evictDurableObject(hub);
  expect(await hub.lastStream(query)).toMatchObject({ peakViewers: 4_211, averageViewers: 200, approximate: false });
  const client = await LiveClient.open(creatorId);
  await hub.recordStreamShare(share);
  await hub.recordStreamShare({ ...share, source: engagement(1), likes: 1 });

  expect(await client.frame("stream.ended")).toMatchObject({ contentId: "cnt_1", summary: { likes: 13 } });
  expect(client.frames.filter(({ type }) => type === "stream.ended")).toHaveLength(1);
});

test("changed payout settings are told on every open dashboard of the creator, and on no other's", async () => {
  const [creatorId, other] = [newCreator(), newCreator()];
  const clients = [await LiveClient.open(creatorId), await LiveClient.open(creatorId)];
  const stranger = await LiveClient.open(other);

  const call = { v: 1, creatorId, changedAt: 1_790_000_000_000, lockedUntil: 1_790_259_200_000 };
  await creatorHub(env, creatorId).payoutSettingsChanged(call);
  await creatorHub(env, other).payoutSettingsChanged({ ...call, creatorId: other, lockedUntil: null });

  for (const client of clients) {
    expect(await client.frame("payout-settings.changed")).toMatchObject({ lockedUntil: "2026-09-24T14:13:20.000Z" });
  }
  expect(await stranger.frame("payout-settings.changed")).toMatchObject({ lockedUntil: null });
  expect(stranger.frames.filter(({ type }) => type === "payout-settings.changed")).toHaveLength(1);
});
