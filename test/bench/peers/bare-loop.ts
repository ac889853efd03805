// The floor of the ingest benchmark: parse every value and keep the same counts in Maps. No log, no HTTP, no checkpoint,
// no duplicates, no socket. Prints one JSON line.
import { INGEST_RECORDS, ingestRecord } from "../ingest-events.ts";

interface Item {
  views: number;
  likes: number;
  watchSeconds: number;
  viewers: Map<string, number>;
}

const values = Array.from({ length: INGEST_RECORDS }, (_, index) => ingestRecord(index, Date.now() - 180_000).value);
const seen = new Set<string>();
const items = new Map<string, Item>();

const started = performance.now();
const cpu = process.cpuUsage();
for (const value of values) {
  const event = JSON.parse(value);
  if (seen.has(event.eventId)) {
    continue;
  }
  seen.add(event.eventId);
  let item = items.get(event.contentId);
  if (!item) {
    item = { views: 0, likes: 0, watchSeconds: 0, viewers: new Map() };
    items.set(event.contentId, item);
  }
  item.viewers.set(event.sessionId, Date.parse(event.occurredAt));
  item.watchSeconds += event.watchSeconds ?? 0;
  if (event.type === "view.started") {
    item.views += 1;
  } else if (event.type === "like.added") {
    item.likes += 1;
  }
}
const ms = performance.now() - started;
const { user, system } = process.cpuUsage(cpu);
process.stdout.write(
  `${JSON.stringify({ eventsPerSecond: INGEST_RECORDS / (ms / 1_000), cpuSeconds: (user + system) / 1e6 })}\n`,
);
