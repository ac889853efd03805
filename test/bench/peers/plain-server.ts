// What most teams would write: one Node process that reads the log through the stock REST client, counts in Maps, and
// sends each creator's totals over ws four times a second. No checkpoint: after a crash it counts from the start. The
// peer of the ingest benchmark: prints its port, begins to read when the first socket is open, and runs until it is ended.
import { Kafka } from "@upstash/kafka";
import { type WebSocket, WebSocketServer } from "ws";
import { z } from "zod";

const settings = z
  .object({
    KAFKA_REST_URL: z.url(),
    KAFKA_REST_USERNAME: z.string(),
    KAFKA_REST_PASSWORD: z.string(),
    TOPIC: z.string(),
  })
  .parse(process.env);

/** A session counts as watching for 45 s after its last beat. */
const LIVE_WINDOW_MS = 45_000;
const BROADCAST_MS = 250;
/** Event ids are remembered for the last million. */
const REMEMBERED_IDS = 1_000_000;

interface Item {
  views: number;
  likes: number;
  shares: number;
  completions: number;
  watchSeconds: number;
  viewers: Map<string, number>;
}
interface Creator {
  items: Map<string, Item>;
  sockets: Set<WebSocket>;
  dirty: boolean;
}

const creators = new Map<string, Creator>();
let recentIds = new Set<string>();
let olderIds = new Set<string>();

function creatorOf(id: string): Creator {
  let creator = creators.get(id);
  if (!creator) {
    creator = { items: new Map(), sockets: new Set(), dirty: false };
    creators.set(id, creator);
  }
  return creator;
}

function isRepeated(eventId: string): boolean {
  if (recentIds.has(eventId) || olderIds.has(eventId)) {
    return true;
  }
  recentIds.add(eventId);
  if (recentIds.size >= REMEMBERED_IDS / 2) {
    olderIds = recentIds;
    recentIds = new Set();
  }
  return false;
}

/** What an event may hold; whether it does is looked at below. */
interface Event {
  eventId?: string;
  type?: string;
  creatorId?: string;
  contentId?: string;
  sessionId?: string;
  occurredAt?: string;
  watchSeconds?: number;
}

function take(value: string): void {
  let event: Event | null;
  try {
    event = JSON.parse(value) as Event | null;
  } catch {
    return;
  }
  if (
    typeof event?.creatorId !== "string" ||
    typeof event.contentId !== "string" ||
    typeof event.eventId !== "string" ||
    typeof event.sessionId !== "string" ||
    typeof event.occurredAt !== "string" ||
    isRepeated(event.eventId)
  ) {
    return;
  }
  const creator = creatorOf(event.creatorId);
  let item = creator.items.get(event.contentId);
  if (!item) {
    item = { views: 0, likes: 0, shares: 0, completions: 0, watchSeconds: 0, viewers: new Map() };
    creator.items.set(event.contentId, item);
  }
  creator.dirty = true;
  switch (event.type) {
    case "view.started":
      item.views += 1;
      item.viewers.set(event.sessionId, Date.parse(event.occurredAt));
      break;
    case "view.heartbeat":
      item.watchSeconds += Math.min(60, event.watchSeconds ?? 0);
      item.viewers.set(event.sessionId, Date.parse(event.occurredAt));
      break;
    case "view.ended":
      item.watchSeconds += Math.min(60, event.watchSeconds ?? 0);
      item.viewers.delete(event.sessionId);
      break;
    case "view.completed":
      item.completions += 1;
      break;
    case "like.added":
      item.likes += 1;
      break;
    case "like.removed":
      item.likes -= 1;
      break;
    case "share.created":
      item.shares += 1;
      break;
    case undefined:
    default:
      break;
  }
}

function totalsOf(creator: Creator) {
  const now = Date.now();
  const totals = { liveViewers: 0, views: 0, likes: 0, shares: 0, completions: 0, watchSeconds: 0 };
  for (const item of creator.items.values()) {
    for (const [session, beatAt] of item.viewers) {
      if (beatAt < now - LIVE_WINDOW_MS) {
        item.viewers.delete(session);
      }
    }
    totals.liveViewers += item.viewers.size;
    totals.views += item.views;
    totals.likes += item.likes;
    totals.shares += item.shares;
    totals.completions += item.completions;
    totals.watchSeconds += item.watchSeconds;
  }
  return totals;
}

const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
server.on("listening", () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof address === "string" ? null : address?.port })}\n`);
});
const firstSocket = new Promise<void>((resolve) => {
  server.on("connection", (socket, request) => {
    const creator = creatorOf(new URL(request.url ?? "/", "http://localhost").searchParams.get("creator") ?? "");
    creator.sockets.add(socket);
    socket.on("close", () => creator.sockets.delete(socket));
    socket.send(JSON.stringify(totalsOf(creator)));
    resolve();
  });
});
setInterval(() => {
  for (const creator of creators.values()) {
    if (creator.dirty && creator.sockets.size > 0) {
      creator.dirty = false;
      const frame = JSON.stringify(totalsOf(creator));
      for (const socket of creator.sockets) {
        socket.send(frame);
      }
    }
  }
}, BROADCAST_MS);

const kafka = new Kafka({
  url: settings.KAFKA_REST_URL,
  username: settings.KAFKA_REST_USERNAME,
  password: settings.KAFKA_REST_PASSWORD,
});
const consumer = kafka.consumer();
await firstSocket;
let offset = 0;
for (;;) {
  const records = await consumer.fetch({ topic: settings.TOPIC, partition: 0, offset, timeout: 1_000 });
  for (const record of records) {
    take(record.value);
  }
  offset = (records.at(-1)?.offset ?? offset - 1) + 1;
}
