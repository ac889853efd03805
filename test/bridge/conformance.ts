// What every log behind the bridge must give a client of the REST contract: run once on each of them.
import { afterAll, beforeAll, describe } from "vitest";
import { Kafka } from "@upstash/kafka";
import { startBridge } from "../../src/bridge/server.ts";
import type { Bridge } from "../../src/bridge/server.ts";
import { groupCases } from "./conformance-groups.ts";
import { limitCases } from "./conformance-limits.ts";
import { logins, testLimits } from "./conformance-parts.ts";
import type { Bench, LogUnderTest } from "./conformance-parts.ts";
import { recordCases } from "./conformance-records.ts";
import { restClient } from "./rest-client.ts";
import type { RestClient } from "./rest-client.ts";

function need<T>(part: T | undefined): T {
  if (part === undefined) {
    throw new Error("the bridge under test has not been started");
  }
  return part;
}

/** Registers the whole suite for one log; `missing` says why it cannot run here, and is printed. */
export function conformanceOn(name: string, open: () => Promise<LogUnderTest>, missing?: string): void {
  const reason = missing === undefined ? "" : `: not run, ${missing}`;
  describe.skipIf(missing !== undefined)(`the REST contract on ${name}${reason}`, () => {
    let under: LogUnderTest;
    let bridge: Bridge;
    let topics = 0;
    const run = Date.now().toString(36);
    const parts: { kafka?: Kafka; rest?: RestClient } = {};

    beforeAll(async () => {
      under = await open();
      bridge = await startBridge({
        log: under.log,
        port: 0,
        credentials: Object.values(logins),
        limits: testLimits,
        webhookQueryCredentials: true,
      });
      parts.kafka = new Kafka({ url: bridge.url, ...logins.all });
      parts.rest = restClient(bridge.url, `${logins.all.username}:${logins.all.password}`);
    });
    afterAll(async () => {
      await bridge.close();
      await under.stop();
    });

    const bench: Bench = {
      get kafka() {
        return need(parts.kafka);
      },
      get rest() {
        return need(parts.rest);
      },
      get bridge() {
        return bridge;
      },
      get under() {
        return under;
      },
      topic: async (partitions = 1) => {
        topics += 1;
        const topic = `conf-${run}-${topics}`;
        await under.createTopic(topic, partitions);
        return topic;
      },
    };
    recordCases(bench);
    groupCases(bench);
    limitCases(bench);
  });
}
