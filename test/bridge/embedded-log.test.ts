// The embedded log by itself: what survives a kill, what retention drops, what wakes a reader.
import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openEmbeddedLog } from "../../src/bridge/embedded-log.ts";
import type { EmbeddedLog, EmbeddedLogOptions } from "../../src/bridge/embedded-log.ts";
import type { FetchOptions, NewRecord } from "../../src/bridge/log.ts";
import { partitionOf } from "../../src/contract/partitioner.ts";

let folder = "";
let log: EmbeddedLog;

async function open(more: Partial<EmbeddedLogOptions> = {}): Promise<void> {
  log = await openEmbeddedLog({ folder, ...more });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "embedded-log-"));
  await open();
});

afterEach(async () => {
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

const deadline = () => AbortSignal.timeout(10_000);

function record(value: NewRecord["value"], more: Partial<NewRecord> = {}): NewRecord {
  return { topic: "t", partition: 0, timestamp: undefined, key: undefined, value, headers: [], ...more };
}

const produce = (...records: NewRecord[]) => log.produce(records, deadline());

function options(more: Partial<FetchOptions> = {}): FetchOptions {
  const signal = new AbortController().signal;
  return { timeoutMs: 0, maxRecords: 1_000_000, maxBytes: 64 * 1024 ** 2, encoding: "utf8", signal, ...more };
}

interface Message {
  offset: number;
  value: string;
  valueBase64?: string | null;
}

async function read(offset: number, more: Partial<FetchOptions> = {}, topic = "t", partition = 0): Promise<Message[]> {
  const [fetched] = await log.fetch([{ topic, partition, offset }], options(more));
  return JSON.parse(`[${Buffer.concat(fetched?.records ?? []).toString()}]`) as Message[];
}

async function latest(topic = "t"): Promise<number> {
  const [found] = await log.offsets([{ topic, partition: 0 }], "latest", deadline());
  return found?.offset ?? -1;
}

/** The folder of the newest topic's first partition. */
function partitionFolder(): string {
  const [topic = ""] = readdirSync(join(folder, "topics"));
  return join(folder, "topics", topic, "0");
}

test("every record that was acknowledged before a kill -9 is there afterwards, in order", async () => {
  await log.close();
  const child = spawn(process.execPath, [join(import.meta.dirname, "appender.ts"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  // The pipe closes before the process is gone, and until then it holds the folder.
  const gone = new Promise((resolve) => child.once("exit", resolve));
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged >= 2_000) {
      child.kill("SIGKILL");
    }
  }
  await gone;
  await open();
  const found = await read(0, {}, "killed");
  expect(acknowledged).toBeGreaterThanOrEqual(2_000);
  // Up to a segment's end, then on from there.
  const all = [...found];
  while (all.length < (await latest("killed"))) {
    all.push(...(await read(all.length, {}, "killed")));
  }
  expect(all.length).toBeGreaterThanOrEqual(acknowledged);
  expect(all.every(({ offset, value }, i) => offset === i && value.startsWith(`value ${i} `))).toBe(true);
});

test("a last line that was cut short is dropped and the log goes on behind the whole ones", async () => {
  await log.createTopic("t", 1);
  await produce(record("one"), record("two"));
  await log.close();
  const file = join(partitionFolder(), "00000000000000000000.log");
  appendFileSync(file, '{"topic":"t","partition":0,"offset":2,"timestamp":17');
  await open();
  expect(await latest()).toBe(2);
  await produce(record("three"));
  expect((await read(0)).map(({ value }) => value)).toEqual(["one", "two", "three"]);
});

test("records are read alike from indexed and from scanned segments", async () => {
  await log.close();
  await open({ segmentBytes: 500 });
  await log.createTopic("t", 1);
  for (let i = 0; i < 50; i++) {
    await produce(record(`value ${i}`, { timestamp: 1_000 + i }));
  }
  await log.close();
  const indexes = readdirSync(partitionFolder()).filter((name) => name.endsWith(".index"));
  expect(indexes.length).toBeGreaterThan(3);
  await rm(join(partitionFolder(), indexes[1] ?? ""));
  await open({ segmentBytes: 500 });
  expect(await latest()).toBe(50);
  for (let i = 0; i < 50; i++) {
    expect((await read(i))[0]).toMatchObject({ offset: i, value: `value ${i}`, timestamp: 1_000 + i });
  }
});

test("retention by size and by age drops whole old segments, and reading there is out of range", async () => {
  await log.close();
  let now = 1_000_000;
  await open({ segmentBytes: 1_000, retentionBytes: 4_000, retentionMs: 60_000, clock: { now: () => now } });
  await log.createTopic("t", 1);
  for (let i = 0; i < 100; i++) {
    await produce(record("x".repeat(100)));
  }
  await log.applyRetention();
  const [earliest] = await log.offsets([{ topic: "t", partition: 0 }], "earliest", deadline());
  expect(earliest?.offset).toBeGreaterThan(50);
  await expect(read(0)).rejects.toMatchObject({ status: 416 });
  now += 60_001;
  await log.applyRetention();
  const [emptied] = await log.offsets([{ topic: "t", partition: 0 }], "earliest", deadline());
  expect(emptied?.offset).toBe(100);
  expect((await produce(record("goes on")))[0]?.offset).toBe(100);
});

test("a topic created again has another id, starts at offset 0 and has no committed positions", async () => {
  const first = await log.createTopic("t", 1);
  await produce(record("old"));
  await log.commit("group", [{ topic: "t", partition: 0, offset: 1 }], deadline());
  await log.deleteTopic("t");
  const second = await log.createTopic("t", 1);
  expect(second.topicId).not.toBe(first.topicId);
  expect(await latest()).toBe(0);
  expect(await log.committed("group", [{ topic: "t", partition: 0 }], deadline())).toMatchObject([{ offset: -1 }]);
  await log.close();
  await open();
  expect((await log.topic("t", deadline()))?.topicId).toBe(second.topicId);
});

test("committed positions survive a restart", async () => {
  await log.createTopic("t", 2);
  await log.commit("group", [{ topic: "t", partition: 1, offset: 7 }], deadline());
  await log.commit("group", [{ topic: "t", partition: 1, offset: 9 }], deadline());
  await log.close();
  await open();
  expect(await log.committed("group", [{ topic: "t", partition: 1 }], deadline())).toMatchObject([{ offset: 9 }]);
});

test("a waiting reader is woken by an append, and by the deletion of its topic", async () => {
  await log.createTopic("t", 1);
  const waiting = read(0, { timeoutMs: 30_000 });
  await produce(record("here"));
  expect((await waiting)[0]?.value).toBe("here");
  const outliving = read(1, { timeoutMs: 30_000 });
  await Promise.all([log.deleteTopic("t"), expect(outliving).rejects.toMatchObject({ status: 404 })]);
});

test("a waiting reader of an expected topic gets a conflict when the topic is recreated", async () => {
  const { topicId } = await log.createTopic("t", 1);
  const waiting = log.fetch([{ topic: "t", partition: 0, offset: 0, topicId }], options({ timeoutMs: 30_000 }));
  await Promise.all([log.deleteTopic("t"), expect(waiting).rejects.toMatchObject({ status: 409 })]);
});

test("a read stays within its bounds but always gives one record", async () => {
  await log.createTopic("t", 1);
  await produce(...Array.from({ length: 20 }, (_, i) => record(`${i} ${"x".repeat(100)}`)));
  expect(await read(0, { maxRecords: 7 })).toHaveLength(7);
  expect((await read(0, { maxBytes: 700 })).length).toBeLessThan(5);
  expect((await read(3, { maxBytes: 1 })).map(({ offset }) => offset)).toEqual([3]);
});

test("a busy partition leaves room for those behind it", async () => {
  await log.createTopic("t", 2);
  await produce(...Array.from({ length: 200 }, (_, i) => record("x", { partition: i % 2 })));
  const positions = [0, 1].map((partition) => ({ topic: "t", partition, offset: 0 }));
  const fetched = await log.fetch(positions, options({ maxRecords: 50 }));
  expect(fetched.map(({ count }) => count)).toEqual([25, 25]);
});

test("a keyed record goes where Kafka's partitioner puts it, and records without a key are spread", async () => {
  await log.createTopic("t", 6);
  const keys = ["creator-1", "creator-2", "ключ", ""];
  const stored = await produce(...keys.map((key) => record("x", { partition: undefined, key })));
  expect(stored.map(({ partition }) => partition)).toEqual(keys.map((key) => partitionOf(key, 6)));
  const spread = await produce(...Array.from({ length: 6 }, () => record("x", { partition: undefined })));
  expect(new Set(spread.map(({ partition }) => partition)).size).toBe(6);
});

test("an offset by time is that of the first record not older, and the latest when all are older", async () => {
  await log.createTopic("t", 1);
  await produce(...[10, 30, 20, 40].map((timestamp) => record("x", { timestamp })));
  const at = async (time: number) => (await log.offsets([{ topic: "t", partition: 0 }], time, deadline()))[0]?.offset;
  expect(await Promise.all([at(0), at(11), at(30), at(31), at(41)])).toEqual([0, 1, 1, 3, 4]);
});

test("bytes that are no text, and tombstones, come out whole", async () => {
  await log.createTopic("t", 1);
  const bytes = Buffer.from([0xff, 0x00, 0xfe]);
  await produce(record(bytes), record(null), record("plain ✓"), record(""));
  const [binary, tombstone, plain] = await read(0);
  expect(binary?.valueBase64).toBe(bytes.toString("base64"));
  expect(tombstone).toMatchObject({ value: "", valueBase64: null });
  expect(plain).not.toHaveProperty("valueBase64");
  const encoded = await read(0, { encoding: "base64" });
  expect(encoded.map(({ value }) => value)).toEqual([
    bytes.toString("base64"),
    null,
    Buffer.from("plain ✓").toString("base64"),
    "",
  ]);
});

test("a topic grows without losing what it had", async () => {
  await log.createTopic("t", 1);
  await produce(record("kept"));
  await log.addPartitions("t", 3);
  await produce(record("new", { partition: 2 }));
  await log.close();
  await open();
  expect((await log.topic("t", deadline()))?.partitions).toBe(3);
  expect((await read(0))[0]?.value).toBe("kept");
  expect((await read(0, {}, "t", 2))[0]?.value).toBe("new");
});

test("a folder in use is refused", async () => {
  await expect(openEmbeddedLog({ folder })).rejects.toThrow("in use");
});
