// The follower between the real bridge and the real ClickHouse engine, with the product's own tables: what history says
// after a drain is what was played, also when every answer of ClickHouse was lost once.
import { createClient, type ClickHouseClient } from "@clickhouse/client-web";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEmbeddedLog, type EmbeddedLog } from "../../src/bridge/embedded-log.ts";
import { type Bridge, startBridge } from "../../src/bridge/server.ts";
import { defaultTopics } from "../../src/contract/events.ts";
import { type ClickHouseEndpoint, startClickHouseEndpoint } from "../../src/local/clickhouse/endpoint.ts";
import { Follower } from "../../src/local/follower/follower.ts";
import { ClickHouseHistory } from "../../src/local/follower/history.ts";
import { Ledger, type PendingInsert } from "../../src/local/follower/ledger.ts";
import { LogClient } from "../../src/local/follower/log-client.ts";
import { Playback, type TrafficEvent } from "../../src/local/traffic/playback.ts";
import { produce } from "../../src/local/traffic/producer.ts";
import { seededRepertoire } from "../../src/local/traffic/seeded-repertoire.ts";
import { createLog } from "../../src/runtime/log.ts";

const account = { username: "developer", password: "local-only" };
const credentials = [{ ...account, topics: ["*"], verbs: ["produce" as const, "fetch" as const, "metadata" as const] }];
const quiet = createLog({}, () => undefined);
const MINUTE = 60_000;

let folder: string;
let log: EmbeddedLog;
let bridge: Bridge;
let engine: ClickHouseEndpoint;
let client: ClickHouseClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "follower-"));
  log = await openEmbeddedLog({ folder: join(folder, "log") });
  await log.createTopic(defaultTopics.engagement, 4);
  for (const topic of [defaultTopics.subscription, defaultTopics.payment, defaultTopics.moderation]) {
    await log.createTopic(topic, 1);
  }
  bridge = await startBridge({ log, port: 0, credentials });
  engine = await startClickHouseEndpoint({ dataFolder: join(folder, "clickhouse") });
  client = createClient(engine);
  const migrations = "src/store/clickhouse/migrations";
  for (const file of readdirSync(migrations).toSorted()) {
    for (const query of readFileSync(join(migrations, file), "utf8").split(/;\s*$/m)) {
      if (query.trim() !== "") {
        await client.command({ query });
      }
    }
  }
});

afterAll(async () => {
  await client.close();
  await engine.close();
  await bridge.close();
  await log.close();
  rmSync(folder, { recursive: true });
});

/** ClickHouse whose answer to each insert is lost once, after it has taken the rows. */
class ForgetfulHistory extends ClickHouseHistory {
  readonly #answered = new Set<string>();
  losses = 0;

  override async insert(insert: PendingInsert): Promise<void> {
    await super.insert(insert);
    if (!this.#answered.has(insert.token)) {
      this.#answered.add(insert.token);
      this.losses++;
      throw new Error("the answer was lost");
    }
  }
}

async function rows(query: string): Promise<Record<string, unknown>[]> {
  const answer = await client.query({ query, format: "JSONEachRow" });
  return answer.json<Record<string, unknown>>();
}

const pause = () => Promise.resolve();

async function playOnBridge(minutes: number): Promise<TrafficEvent[]> {
  const startAt = Date.now() - minutes * MINUTE;
  const counts = new Map<string, number>();
  const change = (creatorId: string, by: 1 | -1) => {
    counts.set(creatorId, (counts.get(creatorId) ?? 500) + by);
    return counts.get(creatorId) ?? null;
  };
  const repertoire = seededRepertoire("small", startAt);
  const playback = new Playback({ repertoire, seed: 7, startAt, rate: 30, counts: { change } });
  const played: TrafficEvent[] = [];
  for (let now = startAt; now <= startAt + minutes * MINUTE; now += 1000) {
    played.push(...playback.advance(now));
  }
  const options = { ...account, url: bridge.url, topics: defaultTopics, log: quiet, pause };
  await produce(options, played, new AbortController().signal);
  // A producer that did not hear the answers sends a part again.
  await produce(options, played.slice(0, 500), new AbortController().signal);
  return played;
}

describe("the follower with real engines", () => {
  it("carries everything that was played into every table exactly once, though each answer was lost once", async () => {
    const played = await playOnBridge(5);
    const ledger = new Ledger(join(folder, "ledger"), "test");
    const history = new ForgetfulHistory(engine);
    const options = {
      log: new LogClient({ url: bridge.url, ...account }),
      history,
      ledger,
      clock: { now: () => Date.now() },
      report: quiet,
      topics: defaultTopics,
    };
    for (let tries = 0, read = 1; read > 0; tries++) {
      expect(tries).toBeLessThan(50);
      read = await new Follower(options).step().catch(() => 1);
    }
    await history.close();
    ledger.close();
    expect(history.losses).toBeGreaterThanOrEqual(4);

    const engagement = played.filter((event) => event.kind === "engagement").map((event) => event.value);
    const of = (type: string) => engagement.filter((value) => value["type"] === type);
    const expected = {
      views: of("view.started").length,
      watch_time_s: engagement.reduce((sum, value) => sum + Number(value["watchSeconds"] ?? 0), 0),
      likes: of("like.added").length - of("like.removed").length,
      shares: of("share.created").length,
      completions: of("view.completed").length,
    };
    expect(Object.values(expected).every((count) => count > 0)).toBe(true);
    const sums = "toFloat64(sum(views)) views, toFloat64(sum(watch_time_s)) watch_time_s";
    const all = `${sums}, toFloat64(sum(likes)) likes, toFloat64(sum(shares)) shares, toFloat64(sum(completions)) completions`;
    expect(await rows(`SELECT ${all} FROM content_metrics`)).toEqual([expected]);
    expect(await rows(`SELECT ${all} FROM creator_metrics_hourly`)).toEqual([expected]);
    for (const readModel of ["content_metrics_daily", "content_metrics_monthly", "content_metrics_edge_hours"]) {
      const { views, watch_time_s } = expected;
      expect(await rows(`SELECT ${sums} FROM ${readModel}`)).toEqual([{ views, watch_time_s }]);
    }
    const viewers = "toFloat64(sum(views)) views, toFloat64(uniqCombined64Merge(viewers)) viewers";
    const sessions = new Set(of("view.started").map((value) => value["sessionId"])).size;
    for (const table of ["audience_country_daily", "audience_device_daily"]) {
      const [audience] = await rows(`SELECT ${viewers} FROM ${table}`);
      expect(audience?.["views"]).toBe(expected.views);
      expect(Number(audience?.["viewers"])).toBeGreaterThan(sessions * 0.97);
      expect(Number(audience?.["viewers"])).toBeLessThan(sessions * 1.03);
    }
    const changes = played.filter((event) => event.kind === "subscription").map((event) => event.value["change"]);
    const gained = changes.filter((change) => change === "subscribed").length;
    expect(
      await rows("SELECT toFloat64(sum(gained)) gained, toFloat64(sum(lost)) lost FROM subscriber_metrics"),
    ).toEqual([{ gained, lost: changes.length - gained }]);
    const progress = await rows(
      "SELECT source, max(complete_through) > now() - 60 AS recent FROM ingest_progress GROUP BY source ORDER BY source",
    );
    expect(progress).toEqual([
      { source: "audience", recent: 1 },
      { source: "content_metrics", recent: 1 },
      { source: "subscriber_metrics", recent: 1 },
    ]);
  });
});
