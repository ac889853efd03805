// The traffic as a process of its own against the real bridge, which is restarted under it.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openEmbeddedLog, type EmbeddedLog } from "../../src/bridge/embedded-log.ts";
import { type Bridge, startBridge } from "../../src/bridge/server.ts";
import { defaultTopics, engagementEventSchema } from "../../src/contract/events.ts";
import { LogClient } from "../../src/local/follower/log-client.ts";

const account = { username: "developer", password: "local-only" };
const credentials = [{ ...account, topics: ["*"], verbs: ["produce" as const, "fetch" as const, "metadata" as const] }];
const DEADLINE_MS = 30_000;

let folder: string;
let log: EmbeddedLog;
let bridge: Bridge;
let traffic: ChildProcess | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "traffic-"));
  log = await openEmbeddedLog({ folder: join(folder, "log") });
  await log.createTopic(defaultTopics.engagement, 4);
  for (const topic of [defaultTopics.subscription, defaultTopics.payment, defaultTopics.moderation]) {
    await log.createTopic(topic, 1);
  }
  bridge = await startBridge({ log, port: 0, credentials });
});
afterEach(async () => {
  traffic?.kill("SIGKILL");
  await bridge.close();
  await log.close();
  rmSync(folder, { recursive: true });
});

function startTraffic(): ChildProcess {
  const child = spawn(process.execPath, ["src/local/traffic/main.ts"], {
    stdio: "ignore",
    env: {
      ...process.env,
      KAFKA_REST_URL: bridge.url,
      KAFKA_REST_USERNAME: account.username,
      KAFKA_REST_PASSWORD: account.password,
      DATA_FOLDER: join(folder, "traffic"),
      SEED_SCALE: "small",
      TRAFFIC_RATE: "300",
    },
  });
  traffic = child;
  return child;
}

async function engagementRecords() {
  const client = new LogClient({ url: bridge.url, ...account });
  const topics = await client.topics();
  const { topicId = "", partitions = [] } = topics[defaultTopics.engagement] ?? {};
  const events = [];
  for (const { partition, latest } of partitions) {
    for (let offset = 0; offset < latest;) {
      const records = await client.fetch({ topic: defaultTopics.engagement, topicId, partition, offset });
      events.push(...records.map((record) => engagementEventSchema.parse(JSON.parse(record.value))));
      offset = (records.at(-1)?.offset ?? latest) + 1;
    }
  }
  return events;
}

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  // The first call after a restart may find its kept connection closed.
  while (!(await isTrue().catch(() => false))) {
    if (Date.now() > deadline) {
      throw new Error(`waited ${DEADLINE_MS} ms for: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("the traffic process", () => {
  it("plays through a restart of the bridge without losing an event, and ends its sessions when told to stop", async () => {
    const child = startTraffic();
    await until("the first hundred events", async () => (await engagementRecords()).length > 100);
    const port = Number(new URL(bridge.url).port);
    const before = (await engagementRecords()).length;
    await bridge.close();
    bridge = await startBridge({ log, port, credentials });
    await until("events after the restart", async () => (await engagementRecords()).length > before + 100);
    const exited = new Promise<number | null>((resolve) => {
      child.once("exit", (code) => resolve(code));
    });
    child.kill("SIGTERM");
    expect(await exited).toBe(0);

    const events = await engagementRecords();
    const sessions = Map.groupBy(events, (event) => event.sessionId);
    const of = (type: string, acts: typeof events) => acts.filter((act) => act.type === type).length;
    for (const [sessionId, acts] of sessions) {
      expect(of("view.started", acts), `session ${sessionId}`).toBeGreaterThan(0);
      expect(of("view.ended", acts), `session ${sessionId}`).toBeGreaterThan(0);
    }
    const live = events.filter((event) => event.creatorId === "crt_demo" && event.isLive === true);
    expect(live.length).toBeGreaterThan(20);
  });

  it("ends with a status and a reason when the bridge refuses its credentials", async () => {
    account.password = "wrong";
    try {
      const child = startTraffic();
      const code = await new Promise<number | null>((resolve) => {
        child.once("exit", resolve);
      });
      expect(code).toBe(1);
    } finally {
      account.password = "local-only";
    }
  });
});
