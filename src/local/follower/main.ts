// Process of the local stack: carries what the log says into ClickHouse, as a company's own pipeline would.
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { defaultTopics } from "../../contract/events.ts";
import { systemClock } from "../../runtime/clock.ts";
import { createLog, describeError } from "../../runtime/log.ts";
import { pause } from "../pause.ts";
import { Follower } from "./follower.ts";
import { ClickHouseHistory } from "./history.ts";
import { Ledger } from "./ledger.ts";
import { LogClient } from "./log-client.ts";

/** How often it looks for more: one part of ClickHouse per table and look. */
const LOOK_EVERY_MS = 2000;
const LONGEST_RETRY_MS = 10_000;

const settings = z
  .object({
    KAFKA_REST_URL: z.url(),
    KAFKA_REST_USERNAME: z.string(),
    KAFKA_REST_PASSWORD: z.string(),
    TOPIC_ENGAGEMENT: z.string().default(defaultTopics.engagement),
    TOPIC_SUBSCRIPTION: z.string().default(defaultTopics.subscription),
    CLICKHOUSE_URL: z.url(),
    CLICKHOUSE_DATABASE: z.string().default("default"),
    CLICKHOUSE_USERNAME: z.string(),
    CLICKHOUSE_PASSWORD: z.string(),
    DATA_FOLDER: z.string().min(1),
  })
  .parse(process.env);

const report = createLog({ service: "follower" });
const log = new LogClient({
  url: settings.KAFKA_REST_URL,
  username: settings.KAFKA_REST_USERNAME,
  password: settings.KAFKA_REST_PASSWORD,
});
const history = new ClickHouseHistory({
  url: settings.CLICKHOUSE_URL,
  database: settings.CLICKHOUSE_DATABASE,
  username: settings.CLICKHOUSE_USERNAME,
  password: settings.CLICKHOUSE_PASSWORD,
});
const ledger = new Ledger(settings.DATA_FOLDER, randomUUID());
const topics = { engagement: settings.TOPIC_ENGAGEMENT, subscription: settings.TOPIC_SUBSCRIPTION };
const start = () => new Follower({ log, history, ledger, clock: systemClock, report, topics });

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => stopping.abort());
}
report.info("follower.started");
let follower = start();
let retryMs = LOOK_EVERY_MS;
while (!stopping.signal.aborted) {
  try {
    const records = await follower.step();
    retryMs = LOOK_EVERY_MS;
    if (records > 0) {
      report.debug("follower.carried", { records });
    }
  } catch (error) {
    report.warn("follower.retry", { reason: describeError(error) });
    follower = start();
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }
  await pause(retryMs, stopping.signal);
}
ledger.close();
await history.close();
report.info("follower.stopped");
