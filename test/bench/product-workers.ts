// The Workers for a benchmark: in workerd from their real configurations, with a real issuer. No database is there; what
// stands in its place counts whoever asks for it.
import { createServer } from "node:http";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createTestHarness, type TestHarness } from "wrangler";
import { startIssuer } from "../../src/local/issuer/issuer.ts";
import { apiSettings, consumerSettings } from "../../src/local/stack/workers.ts";
import { descendants } from "./process-cpu.ts";

/** Names of the Workers, as their configurations give them. */
export const API = "creator-dashboard-api";
export const CONSUMER = "creator-dashboard-consumer";
/** The consumer's admin token. */
export const ADMIN_TOKEN = "the admin token of the benchmarks";

/** What to start. */
export interface ProductOptions {
  /** With a log the consumer Worker is started too. */
  readonly log?: { readonly url: string; readonly password: string };
  /** Sockets a creator may have open, and open in a minute; the deployment's own limits unless told. */
  readonly sockets?: { readonly open: number; readonly perMinute: number };
}

/** Running Workers. */
export interface ProductWorkers {
  readonly apiUrl: string;
  readonly harness: TestHarness;
  /** Their workerd processes; none where there is no procfs. */
  readonly workerd: readonly number[];
  /** Requests made to the databases so far. */
  databaseRequests(): number;
  /** A token of the issuer, valid for an hour. */
  token(creatorId: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts the API Worker and, with a log, the consumer. */
export async function startProductWorkers({ log, sockets }: ProductOptions): Promise<ProductWorkers> {
  const folder = mkdtempSync(join(tmpdir(), "creator-dashboard-bench-"));
  const issuer = await startIssuer({
    port: 0,
    dataFolder: join(folder, "issuer"),
    dashboardOrigins: ["http://page.test"],
  });
  const database = await startCountingDatabase();
  const nobody = { username: "nobody", password: "nothing" };
  const api = apiSettings({
    databases: {
      databaseUrl: "postgres://nobody:nothing@127.0.0.1/nothing",
      neonEndpoint: `${database.url}/sql`,
      clickhouse: { url: database.url, database: "default", writer: nobody, reader: nobody },
    },
    issuerUrl: issuer.url,
    origins: ["http://page.test"],
  });
  const workers = [
    sockets === undefined
      ? { configPath: "./wrangler.toml", vars: { ...api.vars }, secrets: { ...api.secrets } }
      : {
          configPath: configurationWith(sockets.perMinute, folder),
          vars: { ...api.vars, MAX_SOCKETS_PER_CREATOR: String(sockets.open) },
          secrets: { ...api.secrets },
        },
  ];
  if (log !== undefined) {
    const { vars, secrets } = consumerSettings({
      kafkaRestUrl: log.url,
      kafkaRestPassword: log.password,
      adminToken: ADMIN_TOKEN,
    });
    workers.push({ configPath: "./src/consumer/wrangler.toml", vars: { ...vars }, secrets: { ...secrets } });
  }
  const before = new Set(descendants("workerd"));
  const harness = createTestHarness({ workers });
  const { url } = await harness.listen();
  return {
    apiUrl: url.origin,
    harness,
    workerd: descendants("workerd").filter((pid) => !before.has(pid)),
    databaseRequests: () => database.requests(),
    token: (creatorId) => issuer.mint({ creatorId }),
    stop: async () => {
      await harness.close();
      await issuer.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The API Worker's configuration with another rate limit, which no variable sets, and without the page. */
function configurationWith(perMinute: number, folder: string): string {
  const sections = readFileSync("wrangler.toml", "utf8").split(/^(?=\[)/m);
  const text = sections
    .filter((section) => !/^\[(build|assets)\]/.test(section))
    .join("")
    .replace(/^main = "(.+)"/m, (_, main: string) => `main = ${JSON.stringify(resolve(main))}`)
    .replace(/^simple = \{ limit = \d+/m, `simple = { limit = ${perMinute}`);
  const path = join(folder, "wrangler.toml");
  writeFileSync(path, text);
  return path;
}

/** A server in the databases' place: refuses, and counts. */
async function startCountingDatabase() {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.writeHead(503).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("no port was given");
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: () => requests,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
