// The whole product in one test process: both Workers in workerd from their real configurations, real engines behind
// their endpoints, the bridge on its embedded log, and the local issuer. Every call travels over a real socket.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestHarness, type TestHarness } from "wrangler";
import { z } from "zod";
import { openEmbeddedLog } from "../../src/bridge/embedded-log.ts";
import type { Log } from "../../src/bridge/log.ts";
import { startBridge } from "../../src/bridge/server.ts";
import { startClickHouseEndpoint } from "../../src/local/clickhouse/endpoint.ts";
import { startIssuer } from "../../src/local/issuer/issuer.ts";
import { startPostgresEndpoint } from "../../src/local/postgres/endpoint.ts";
import { loadSeed } from "../../src/local/stack/load-seed.ts";
import { type Databases, apiSettings, consumerSettings } from "../../src/local/stack/workers.ts";

/** Names of the Workers, as their configurations give them. */
export const API = "creator-dashboard-api";
export const CONSUMER = "creator-dashboard-consumer";

const PASSWORD = "a password of the test product";

/** A running product. */
export interface Product {
  readonly apiUrl: string;
  readonly kafka: { readonly url: string; readonly username: string; readonly password: string };
  readonly harness: TestHarness;
  readonly databases: Databases;
  /** A token of the local issuer. */
  token(creatorId: string): Promise<string>;
  /** Fires the consumer's cron: readers start, dead ones come back. */
  supervise(): Promise<void>;
  /** Resets a reader object at once, wherever it is in its work: a reader never rests, so it cannot be evicted idle. */
  restartReader(source: string): Promise<void>;
  /** What the consumer's admin view says of its readers. Throws where it cannot say. */
  readers(): Promise<ReaderSeen[]>;
  /** Stops the ClickHouse endpoint, as a server that went away. */
  stopClickHouse(): Promise<void>;
  stop(): Promise<void>;
}

const readersSchema = z.object({
  readers: z.array(
    z.object({
      source: z.string(),
      status: z.object({
        epoch: z.number().nullable(),
        topicId: z.string().nullable(),
        offset: z.number().nullable(),
      }),
    }),
  ),
});
/** A reader in the admin view: which topic it reads, under which epoch, and the offset it reads next. */
export type ReaderSeen = z.infer<typeof readersSchema>["readers"][number];

/** What a product may be started with. */
export interface ProductOptions {
  /** Partitions of the engagement topic of the embedded log. */
  readonly partitions?: number;
  /** Loads the small seed. */
  readonly seeded?: boolean;
  /** A log with the four topics in place of an embedded one; the product closes it. */
  readonly log?: Log;
}

async function embeddedLog(folder: string, partitions: number): Promise<Log> {
  const log = await openEmbeddedLog({ folder });
  await log.createTopic("user.engagement.events", partitions);
  for (const topic of ["engagement.subscription.changed", "payment.processed", "moderation.decision.made"]) {
    await log.createTopic(topic, 1);
  }
  return log;
}

/** Starts the product on any free ports. */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const folder = mkdtempSync(join(tmpdir(), "creator-dashboard-flow-"));
  const log = options.log ?? (await embeddedLog(join(folder, "log"), options.partitions ?? 2));
  const all = ["produce", "fetch", "consume", "commit", "metadata"] as const;
  const bridge = await startBridge({
    log,
    port: 0,
    credentials: [{ username: "reader", password: PASSWORD, topics: ["*"], verbs: [...all] }],
  });
  const postgres = await startPostgresEndpoint({});
  const clickhouse = await startClickHouseEndpoint({});
  const issuer = await startIssuer({
    port: 0,
    dataFolder: join(folder, "issuer"),
    dashboardOrigins: ["http://page.test"],
  });
  const databases: Databases = {
    databaseUrl: postgres.connectionString,
    neonEndpoint: postgres.endpoint,
    clickhouse: {
      url: clickhouse.url,
      database: clickhouse.database,
      writer: { username: clickhouse.username, password: clickhouse.password },
      reader: clickhouse.reader,
    },
  };
  if (options.seeded) {
    await loadSeed({ databases, scale: "small", dataFolder: folder, progress: () => undefined });
  }
  const api = apiSettings({ databases, issuerUrl: issuer.url, origins: ["http://page.test"] });
  const consumer = consumerSettings({ kafkaRestUrl: bridge.url, kafkaRestPassword: PASSWORD, adminToken: PASSWORD });
  const harness = createTestHarness({
    workers: [
      { configPath: "./wrangler.toml", vars: { ...api.vars }, secrets: { ...api.secrets } },
      { configPath: "./src/consumer/wrangler.toml", vars: { ...consumer.vars }, secrets: { ...consumer.secrets } },
    ],
  });
  const { url } = await harness.listen();
  let clickhouseRuns = true;
  const stopClickHouse = async () => {
    if (clickhouseRuns) {
      clickhouseRuns = false;
      await clickhouse.close();
    }
  };
  return {
    apiUrl: url.origin,
    kafka: { url: bridge.url, username: "reader", password: PASSWORD },
    harness,
    databases,
    token: (creatorId) => issuer.mint({ creatorId }),
    supervise: async () => {
      await harness.getWorker(CONSUMER).scheduled({ cron: "* * * * *" });
    },
    restartReader: async (source) => {
      const response = await harness.getWorker(CONSUMER).fetch("/admin/readers/restart", {
        method: "POST",
        headers: { authorization: `Bearer ${PASSWORD}`, "content-type": "application/json" },
        body: JSON.stringify({ source }),
      });
      if (!response.ok) {
        throw new Error(`restarting ${source} answered ${response.status}`);
      }
    },
    readers: async () => {
      const headers = { authorization: `Bearer ${PASSWORD}` };
      const response = await harness.getWorker(CONSUMER).fetch("/admin/status", { headers });
      return readersSchema.parse(await response.json()).readers;
    },
    stopClickHouse,
    stop: async () => {
      await harness.close();
      await bridge.close();
      await log.close();
      await issuer.close();
      await stopClickHouse();
      await postgres.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
