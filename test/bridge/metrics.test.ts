// The lag of what is read, while topics come and go.
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openEmbeddedLog } from "../../src/bridge/embedded-log.ts";
import type { EmbeddedLog } from "../../src/bridge/embedded-log.ts";
import type { TopicPartition } from "../../src/bridge/log.ts";
import { BridgeMetrics } from "../../src/bridge/metrics.ts";

let folder = "";
let log: EmbeddedLog;
let now = 1_000_000;
let metrics: BridgeMetrics;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "bridge-metrics-"));
  log = await openEmbeddedLog({ folder });
  metrics = new BridgeMetrics(log, { now: () => now }, { polls: () => 0, instances: () => 0 });
  await log.createTopic("kept", 1);
  await log.createTopic("other", 3);
});

afterEach(async () => {
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

const signal = new AbortController().signal;
const bounds = { timeoutMs: 0, maxRecords: 10, maxBytes: 10_000, encoding: "utf8", signal } as const;
const record = { timestamp: undefined, key: undefined, value: "x", headers: [] };

async function produceAndRead(topic: string, partition: number): Promise<void> {
  await log.produce([{ ...record, topic, partition }], AbortSignal.timeout(1_000));
  metrics.fetched(await log.fetch([{ topic, partition, offset: 0 }], bounds));
}

async function lags(mayUse: (topic: string) => boolean = () => true): Promise<string[]> {
  const text = await metrics.text(mayUse);
  return [...text.matchAll(/^bridge_read_lag_records\{topic="(.*)",partition="(.*)"\} (.*)$/gm)].map((match) =>
    match.slice(1).join(" "),
  );
}

test("a topic that shrank takes only the lag of its own partitions away", async () => {
  await produceAndRead("kept", 0);
  await produceAndRead("other", 2);
  expect(await lags()).toEqual(["kept 0 0", "other 2 0"]);
  await log.deleteTopic("other");
  await log.createTopic("other", 1);
  expect(await lags()).toEqual(["kept 0 0"]);
});

test("what was read of a topic says nothing of another one under its name", async () => {
  await produceAndRead("kept", 0);
  await log.deleteTopic("kept");
  await log.createTopic("kept", 1);
  await log.produce(
    [record, record, record].map((each) => ({ ...each, topic: "kept", partition: 0 })),
    signal,
  );
  expect(await lags()).toEqual([]);
});

test("a partition that cannot be asked for hides only its own lag", async () => {
  await produceAndRead("kept", 0);
  await produceAndRead("other", 0);
  const offsets = log.offsets.bind(log);
  vi.spyOn(log, "offsets").mockImplementation(async (partitions, ...more) => {
    if (partitions.some(({ topic }) => topic === "other")) {
      throw new Error("no leader");
    }
    return offsets(partitions, ...more);
  });
  expect(await lags()).toEqual(["kept 0 0"]);
});

test("lag is told for some minutes after the last read, and only of topics that the caller may use", async () => {
  await produceAndRead("kept", 0);
  now += 4 * 60_000;
  await produceAndRead("other", 0);
  expect(await lags()).toEqual(["kept 0 0", "other 0 0"]);
  expect(await metrics.text((topic) => topic === "kept")).not.toContain("other");
  now += 2 * 60_000;
  expect(await lags()).toEqual(["other 0 0"]);
});

test("measuring something odd does not throw", () => {
  const odd: TopicPartition[] = [];
  odd.length = 2;
  expect(() => metrics.produced(odd)).not.toThrow();
});
