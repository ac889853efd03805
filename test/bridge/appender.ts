// Appends to an embedded log as fast as it can, printing each acknowledged end offset, until it is killed.
import { openEmbeddedLog } from "../../src/bridge/embedded-log.ts";

const log = await openEmbeddedLog({ folder: process.argv[2] ?? "", segmentBytes: 64 * 1024 });
await log.createTopic("killed", 1);
for (let next = 0; ; next += 20) {
  const records = Array.from({ length: 20 }, (_, i) => ({
    topic: "killed",
    partition: 0,
    timestamp: next + i,
    key: undefined,
    value: `value ${next + i} ${"x".repeat(300)}`,
    headers: [],
  }));
  const stored = await log.produce(records, AbortSignal.timeout(10_000));
  console.log((stored.at(-1)?.offset ?? -1) + 1);
}
