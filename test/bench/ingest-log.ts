// The log of the ingest benchmark: filled once, one partition, then served by the bridge as a process of its own.
import { join } from "node:path";
import { openEmbeddedLog } from "../../src/bridge/embedded-log.ts";
import { defaultTopics } from "../../src/contract/events.ts";
import { Part } from "../../src/local/stack/part.ts";
import { freePort } from "./free-port.ts";
import { INGEST_RECORDS, INGEST_SPAN_MS, ingestRecord } from "./ingest-events.ts";

const FILL_BATCH = 10_000;
const FILL_DEADLINE_MS = 10_000;

/** A bridge before the filled log. */
export interface IngestLog {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Process id of the bridge. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** Fills a log in the folder and starts the bridge on it. */
export async function startIngestLog(folder: string): Promise<IngestLog> {
  const log = await openEmbeddedLog({ folder: join(folder, "log") });
  await log.createTopic(defaultTopics.engagement, 1);
  // A deployment's first start reads the last hour.
  const baseMs = Date.now() - INGEST_SPAN_MS;
  const place = { topic: defaultTopics.engagement, partition: 0, headers: [] };
  for (let from = 0; from < INGEST_RECORDS; from += FILL_BATCH) {
    await log.produce(
      Array.from({ length: FILL_BATCH }, (_, index) => ({ ...place, ...ingestRecord(from + index, baseMs) })),
      AbortSignal.timeout(FILL_DEADLINE_MS),
    );
  }
  await log.close();

  const login = { username: "reader", password: "the ingest benchmark's own password" };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const part = new Part(
    {
      name: "bridge",
      script: "src/bridge/main.ts",
      logs: folder,
      env: {
        BRIDGE_PORT: String(port),
        BRIDGE_DATA: join(folder, "log"),
        BRIDGE_TOPICS: Object.values(defaultTopics)
          .map((topic) => `${topic}:1`)
          .join(","),
        BRIDGE_CREDENTIALS: JSON.stringify([
          { ...login, topics: ["*"], verbs: ["fetch", "commit", "metadata", "produce"] },
        ]),
      },
      ready: async () => (await fetch(`${url}/healthz`)).ok,
    },
    (failure) => {
      process.stderr.write(`${failure.message}\n${failure.tail}\n`);
      process.exit(1);
    },
  );
  await part.start();
  return { url, ...login, pid: part.pid ?? 0, stop: () => part.stop() };
}
