import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedLog } from "../../src/bridge/embedded-log.ts";
import { conformanceOn } from "./conformance.ts";

conformanceOn("the embedded log", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bridge-"));
  const log = await openEmbeddedLog({ folder });
  return {
    log,
    createTopic: async (name, partitions) => {
      await log.createTopic(name, partitions);
    },
    deleteTopic: (name) => log.deleteTopic(name),
    stop: async () => {
      await log.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
