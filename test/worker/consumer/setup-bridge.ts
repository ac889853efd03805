// The bridge on an embedded log, for readers in workerd: started once, in Node. Each test has a partition of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { openEmbeddedLog } from "../../../src/bridge/embedded-log.ts";
import { startBridge } from "../../../src/bridge/server.ts";
import type { ConsumerTestServices } from "./provided-context.ts";

const PARTITIONS = 8;
const PASSWORD = "a password of the consumer's tests";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "creator-dashboard-consumer-"));
  const log = await openEmbeddedLog({ folder });
  await log.createTopic("user.engagement.events", PARTITIONS);
  for (const topic of ["engagement.subscription.changed", "payment.processed", "moderation.decision.made"]) {
    await log.createTopic(topic, 1);
  }
  const verbs = ["produce", "fetch", "consume", "commit", "metadata"] as const;
  const bridge = await startBridge({
    log,
    port: 0,
    credentials: [{ username: "reader", password: PASSWORD, topics: ["*"], verbs: [...verbs] }],
  });
  project.provide("consumerServices", {
    kafkaRestUrl: bridge.url,
    kafkaRestPassword: PASSWORD,
  } satisfies ConsumerTestServices);
  return async () => {
    await bridge.close();
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  };
}
