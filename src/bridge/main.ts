// `npm run bridge`: the bridge as a service, in front of Kafka, or of a log in a folder where KAFKA_BROKERS is not set.
import { createLog, describeError } from "../runtime/log.ts";
import { openEmbeddedLog } from "./embedded-log.ts";
import { openKafkaLog } from "./kafka-log.ts";
import type { Log } from "./log.ts";
import { startBridge } from "./server.ts";
import { limitsOf, readSettings } from "./settings.ts";
import type { BridgeSettings } from "./settings.ts";

const logger = createLog({ service: "bridge" });

async function openLog(settings: BridgeSettings): Promise<Log> {
  const { KAFKA_BROKERS: brokers, KAFKA_SASL_MECHANISM: mechanism } = settings;
  if (brokers !== undefined) {
    const { KAFKA_SASL_USERNAME: username = "", KAFKA_SASL_PASSWORD: password = "" } = settings;
    return openKafkaLog({
      brokers: brokers.split(","),
      tls: settings.KAFKA_TLS ? { caFile: settings.KAFKA_TLS_CA_FILE } : undefined,
      sasl: mechanism && { mechanism, username, password },
    });
  }
  const log = await openEmbeddedLog({ folder: settings.BRIDGE_DATA });
  for (const { name, partitions } of settings.BRIDGE_TOPICS) {
    await log.createTopic(name, partitions);
  }
  return log;
}

async function run(): Promise<void> {
  const settings = readSettings(process.env);
  const log = await openLog(settings);
  const bridge = await startBridge({
    log,
    port: settings.BRIDGE_PORT,
    host: settings.BRIDGE_HOST,
    credentials: settings.BRIDGE_CREDENTIALS,
    webhookQueryCredentials: settings.BRIDGE_WEBHOOK_QUERY_CREDENTIALS,
    limits: limitsOf(settings),
    logger,
    logRequests: settings.BRIDGE_LOG_REQUESTS,
  });
  logger.info("bridge.listening", {
    url: bridge.url,
    log: settings.KAFKA_BROKERS === undefined ? "embedded" : "kafka",
  });
  let isStopping = false;
  const stop = async (signal: string) => {
    if (isStopping) {
      return;
    }
    isStopping = true;
    logger.info("bridge.stopping", { signal });
    await bridge.close();
    await log.close();
    logger.info("bridge.stopped");
    process.exit(0);
  };
  process.on("SIGTERM", (signal) => void stop(signal));
  process.on("SIGINT", (signal) => void stop(signal));
}

try {
  await run();
} catch (error) {
  logger.error("bridge.not.started", { error: describeError(error) });
  process.exitCode = 1;
}
