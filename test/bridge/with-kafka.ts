// Runs a group of tests against a Kafka started for it, or says why there is none.
import { afterAll, beforeAll, describe } from "vitest";
import { openKafkaLog } from "../../src/bridge/kafka-log.ts";
import type { KafkaOptions } from "../../src/bridge/kafka-log.ts";
import type { Log } from "../../src/bridge/log.ts";
import { startBridge } from "../../src/bridge/server.ts";
import type { Bridge } from "../../src/bridge/server.ts";
import { startKafka, whyNoKafka } from "./kafka/broker.ts";
import type { KafkaCluster, KafkaClusterOptions } from "./kafka/broker.ts";
import { restClient } from "./rest-client.ts";
import type { RestClient } from "./rest-client.ts";

const login = { username: "tests", password: "tests-password" };

/** A bridge in front of a Kafka. */
export interface BridgeOnKafka {
  log: Log;
  bridge: Bridge;
  rest: RestClient;
  close: () => Promise<void>;
}

/** Starts a bridge that reaches Kafka as told. */
export async function bridgeTo(options: KafkaOptions): Promise<BridgeOnKafka> {
  const log = openKafkaLog(options);
  const bridge = await startBridge({ log, port: 0, credentials: [login], limits: { requestsPerSecond: 0 } });
  return {
    log,
    bridge,
    rest: restClient(bridge.url, `${login.username}:${login.password}`),
    close: async () => {
      await bridge.close();
      await log.close();
    },
  };
}

/** Registers tests that need a Kafka of their own. `tests` gets what is there once they run. */
export function withKafka(
  name: string,
  options: KafkaClusterOptions,
  tests: (now: () => BridgeOnKafka & { cluster: KafkaCluster }) => void,
): void {
  const missing = whyNoKafka();
  const reason = missing === undefined ? "" : `: not run, ${missing}`;
  describe.skipIf(missing !== undefined)(`${name}${reason}`, () => {
    let started: (BridgeOnKafka & { cluster: KafkaCluster }) | undefined;
    beforeAll(async () => {
      const cluster = await startKafka(options);
      started = { cluster, ...(await bridgeTo({ brokers: cluster.brokers })) };
    });
    afterAll(async () => {
      await started?.close();
      await started?.cluster.stop();
    });
    tests(() => {
      if (started === undefined) {
        throw new Error("Kafka has not been started");
      }
      return started;
    });
  });
}
