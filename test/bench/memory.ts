// `npm run bench:memory`: one reader's whole memory with what it promises to hold (250,000 people watching at once,
// 50,000 items, a million event ids known), beside the same in Maps and Sets of strings. Each is a process of its own.
// The last line is JSON. Exits with 1 where the reader takes more than it may or counts otherwise than the Maps.
import { spawnSync } from "node:child_process";
import { deflateRaw } from "node:zlib";
import { copyState } from "../../src/consumer/checkpoint/checkpoint.ts";
import type { EngagementRecord } from "../../src/consumer/decode/decode-engagement.ts";
import { EngagementFold } from "../../src/consumer/fold/engagement-fold.ts";
import { contentIdSchema, creatorIdSchema } from "../../src/contract/ids.ts";

const SESSIONS = 250_000;
const ITEMS = 50_000;
const CREATORS = 1_000;
const EVENTS = 1_000_000;
/** All of it within the window in which a session counts, ms. */
const SPAN_MS = 40_000;
/** What one reader may take: an isolate has 128 MB, and a request's records come on top. */
const LIMIT_BYTES = 100_000_000;
const START = Date.parse("2026-11-25T12:00:00Z");

/** What a process found. */
interface Found {
  readonly bytes: number;
  /** With a copy of the state on its way into a checkpoint. */
  readonly checkpointBytes: number;
  readonly viewers: number;
  readonly views: number;
}

const contents = Array.from({ length: ITEMS }, (_, item) => contentIdSchema.parse(`cnt_bench_${item}`));
const creators = Array.from({ length: CREATORS }, (_, creator) => creatorIdSchema.parse(`crt_bench_${creator}`));

/** A view of each session, then likes, so that every event id is to be known. */
function eventAt(index: number): EngagementRecord {
  const item = index % ITEMS;
  const [contentId, creatorId] = [contents[item], creators[item % CREATORS]];
  if (contentId === undefined || creatorId === undefined) {
    throw new RangeError("no such item");
  }
  return {
    type: index < SESSIONS ? "view.started" : "like.added",
    eventId: `evt_${index}`,
    creatorId,
    contentId,
    sessionId: `ses_${index % SESSIONS}`,
    occurredAt: timeOf(index),
    watchSeconds: 0,
    isLive: false,
  };
}

const timeOf = (index: number) => START + Math.floor((index * SPAN_MS) / EVENTS);

/** Bytes in use after a collection of garbage: the heap and the buffers beside it. */
function usedBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function measureReader(): Promise<Found> {
  const before = usedBytes();
  const fold = new EngagementFold();
  for (let index = 0; index < EVENTS; index++) {
    fold.apply(timeOf(index), eventAt(index));
  }
  const bytes = usedBytes() - before;
  const finish = copyState(fold.state);
  const checkpointBytes = usedBytes() - before;
  await finish({
    compress: (part) =>
      new Promise((resolve, reject) => {
        deflateRaw(part, (error, compressed) => (error === null ? resolve(compressed) : reject(error)));
      }),
    decompress: () => Promise.reject(new Error("nothing is read back here")),
  });
  const { viewers, views } = fold.state.items.columns;
  return { bytes, checkpointBytes, viewers: sum(viewers), views: sum(views) };
}

function measureMaps(): Found {
  const before = usedBytes();
  const items = new Map<string, { creatorId: string; viewers: Map<string, number>; views: number; likes: number }>();
  const known = new Set<string>();
  for (let index = 0; index < EVENTS; index++) {
    const { type, eventId, creatorId, contentId, sessionId, occurredAt } = eventAt(index);
    if (known.has(eventId)) {
      continue;
    }
    known.add(eventId);
    const item = items.get(contentId) ?? { creatorId, viewers: new Map<string, number>(), views: 0, likes: 0 };
    items.set(contentId, item);
    if (type === "view.started") {
      item.views++;
      item.viewers.set(sessionId, occurredAt);
    } else {
      item.likes++;
    }
  }
  const bytes = usedBytes() - before;
  const all = [...items.values()];
  const viewers = all.reduce((total, item) => total + item.viewers.size, 0);
  const views = all.reduce((total, item) => total + item.views, 0);
  // Also what the count holds until here, lest it be collected before it is measured.
  return { bytes, checkpointBytes: bytes, viewers, views: known.size === EVENTS ? views : -1 };
}

const megabytes = (bytes: number) => Math.round(bytes / 100_000) / 10;
const sum = (column: Float64Array) => column.reduce((total, value) => total + value, 0);

/** Runs one side in a fresh process. */
function found(side: "reader" | "maps"): Found {
  const parameters = [...process.execArgv, "--expose-gc", import.meta.filename, side];
  const child = spawnSync(process.execPath, parameters, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(child.stdout) as Found;
}

const [, , side] = process.argv;
if (side === "reader" || side === "maps") {
  process.stdout.write(JSON.stringify(side === "reader" ? await measureReader() : measureMaps()));
} else {
  const reader = found("reader");
  const maps = found("maps");
  console.error(`${SESSIONS} sessions, ${ITEMS} items, ${EVENTS} event ids`);
  console.error(
    `  reader           ${megabytes(reader.bytes)} MB, ${megabytes(reader.checkpointBytes)} MB at a checkpoint`,
  );
  console.error(`  Maps and Sets    ${megabytes(maps.bytes)} MB`);
  const exact = reader.viewers === SESSIONS && reader.views === SESSIONS && maps.viewers === SESSIONS;
  const fits = reader.checkpointBytes <= LIMIT_BYTES;
  if (!exact || !fits) {
    console.error(exact ? `More than ${megabytes(LIMIT_BYTES)} MB.` : "The counts differ.");
    process.exitCode = 1;
  }
  const ratioToMaps = Math.round((reader.bytes / maps.bytes) * 1_000) / 1_000;
  console.log(
    JSON.stringify({
      bench: "memory",
      megabytes: megabytes(reader.bytes),
      megabytesAtCheckpoint: megabytes(reader.checkpointBytes),
      ratioToMaps,
      exact,
    }),
  );
}
