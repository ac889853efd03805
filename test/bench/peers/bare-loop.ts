// The floor of the ingest benchmark: parse every value and keep the same counts in Maps, with repeats left out. No log,
// no HTTP, no checkpoint, no validation, no socket. Prints one JSON line.
import { INGEST_RECORDS, INGEST_SPAN_MS, WATCHED, ingestRecord } from "../ingest-events.ts";

interface Item {
  views: number;
  likes: number;
  watchSeconds: number;
  /** Sessions and their last beats, ms. */
  viewers: Map<string, number>;
}

/** What this program relies on, unchecked: it is the floor. */
interface BareEvent {
  eventId: string;
  type: string;
  contentId: string;
  sessionId: string;
  occurredAt: string;
  watchSeconds?: number;
}

const baseMs = Date.now() - INGEST_SPAN_MS;
// By way of bytes, as a value arrives: V8 would otherwise put the pieces together while the clock runs.
const values = Array.from({ length: INGEST_RECORDS }, (_, index) =>
  Buffer.from(ingestRecord(index, baseMs).value).toString("latin1"),
);
const seen = new Set<string>();
const items = new Map<string, Item>();

function take(value: string): void {
  let event: BareEvent;
  try {
    event = JSON.parse(value) as BareEvent;
  } catch {
    return;
  }
  if (seen.has(event.eventId)) {
    return;
  }
  seen.add(event.eventId);
  let item = items.get(event.contentId);
  if (item === undefined) {
    item = { views: 0, likes: 0, watchSeconds: 0, viewers: new Map() };
    items.set(event.contentId, item);
  }
  if (event.type === "like.added") {
    item.likes += 1;
    return;
  }
  item.viewers.set(event.sessionId, Date.parse(event.occurredAt));
  item.watchSeconds += event.watchSeconds ?? 0;
  item.views += event.type === "view.started" ? 1 : 0;
}

const started = performance.now();
const cpu = process.cpuUsage();
for (const value of values) {
  take(value);
}
const seconds = (performance.now() - started) / 1_000;
const { user, system } = process.cpuUsage(cpu);

const totals = { views: 0, likes: 0, watchSeconds: 0 };
for (const [contentId, item] of items) {
  if (contentId.startsWith(WATCHED)) {
    totals.views += item.views;
    totals.likes += item.likes;
    totals.watchSeconds += item.watchSeconds;
  }
}
process.stdout.write(`${JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, totals })}\n`);
