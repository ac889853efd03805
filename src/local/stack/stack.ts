// The whole product on this machine: every part a process of its own, started together, seeded once, stopped in order.
// A part is replaced by a real server by environment variable: DATABASE_URL, CLICKHOUSE_URL, KAFKA_BROKERS.
import { join, resolve } from "node:path";
import { HOST, type Ports, portsFrom, takenPorts } from "./addresses.ts";
import { CannotStart, type Secrets, secretsOf, type StackNote, takeDataFolder, writeStackNote } from "./data-folder.ts";
import { Part, type PartFailure, type PartOptions } from "./part.ts";
import { loadSeed } from "./load-seed.ts";
import { apiSettings, consumerSettings, type Databases, wranglerDev } from "./workers.ts";
import { DEMO_CREATOR_ID } from "../seed/catalogue.ts";

/** What to start. */
export interface StackOptions {
  /** Where everything is kept. */
  readonly dataFolder: string;
  /** The dashboard's port; the other parts take the five after it. */
  readonly port: number;
  /** Throw the folder's data away first. */
  readonly reset: boolean;
  /** Play live traffic. */
  readonly traffic: boolean;
  /** How much history: `full` is two years of more than 200 creators, `small` the same shapes for tests. */
  readonly seed: "full" | "small";
  /** Variables that replace embedded parts by real servers. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** One line of progress. */
  readonly progress: (line: string) => void;
  /** Called when a part ends though it should run, and when it could not be started again. The others go on. */
  readonly onPartFailure: (failure: PartFailure) => void;
  /** After how long a part that ended is started again, in milliseconds. Absent: it stays down. */
  readonly reviveAfterMs?: number;
}

/** The processes of the stack. Real servers have none here. */
export type PartName = "postgres" | "clickhouse" | "bridge" | "issuer" | "api" | "consumer" | "follower" | "traffic";

/** A running stack. */
export interface Stack {
  readonly note: StackNote;
  readonly databases: Databases;
  readonly parts: ReadonlyMap<PartName, Part>;
  /** Ends every process, those that write first, so that nothing is cut off in the middle. */
  stop(): Promise<void>;
}

/** From those that make events to those that keep data. */
const stopOrder: readonly PartName[] = [
  "traffic",
  "follower",
  "consumer",
  "api",
  "bridge",
  "issuer",
  "clickhouse",
  "postgres",
];

/**
 * Starts the stack.
 * @throws {CannotStart} with a sentence that says what to do
 * @throws {PartFailure} when a part does not come up
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const dataFolder = resolve(options.dataFolder);
  const release = takeDataFolder(dataFolder, options.reset);
  const parts = new Map<PartName, Part>();
  const revivals = new Set<NodeJS.Timeout>();
  let supervisor: NodeJS.Timeout | undefined;
  let stopping = false;
  const stop = async () => {
    stopping = true;
    clearInterval(supervisor);
    revivals.forEach(clearTimeout);
    for (const name of stopOrder) {
      await parts.get(name)?.stop();
    }
    release();
  };
  try {
    const ports = portsFrom(options.port);
    const taken = await takenPorts(Object.values(ports));
    if (taken.length > 0) {
      throw new CannotStart(
        `${taken.length === 1 ? "Port" : "Ports"} ${taken.join(", ")} ${taken.length === 1 ? "is" : "are"} taken by ` +
          `another program: stop it, or choose another first port with --port ` +
          `(the stack uses six in a row).`,
      );
    }
    const secrets = secretsOf(dataFolder);
    const start = async (name: PartName, part: Omit<PartOptions, "name" | "logs">) => {
      const revive = (failure: PartFailure) => {
        if (stopping) {
          return;
        }
        options.onPartFailure(failure);
        if (options.reviveAfterMs !== undefined) {
          const timer = setTimeout(() => {
            revivals.delete(timer);
            made.start().catch(revive);
          }, options.reviveAfterMs);
          revivals.add(timer);
        }
      };
      const made = new Part({ name, logs: join(dataFolder, "logs"), ...part }, revive);
      parts.set(name, made);
      await made.start();
    };
    const setUp: SetUp = { ...options, dataFolder, ports, secrets, start };
    const databases = databasesOf(setUp);
    options.progress("Starting databases, bridge, issuer and Workers …");
    await Promise.all([
      startStores(setUp, databases),
      startBridge(setUp),
      startIssuer(setUp),
      startWorkers(setUp, databases),
    ]);
    await startPipeline(setUp, databases);
    supervisor = await startSupervisor(urlOf(ports.consumer));
    const note = noteOf(setUp);
    writeStackNote(dataFolder, note);
    return { note, databases, parts, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface SetUp extends StackOptions {
  readonly ports: Ports;
  readonly secrets: Secrets;
  readonly start: (name: PartName, part: Omit<PartOptions, "name" | "logs">) => Promise<void>;
}

const urlOf = (port: number) => `http://${HOST}:${port}`;

/** True when the address answers with a status below 500. */
async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.status < 500;
}

function databasesOf({ environment, ports, secrets }: SetUp): Databases {
  return {
    databaseUrl:
      environment["DATABASE_URL"] ?? `postgres://dashboard:${secrets.postgres}@${HOST}:${ports.postgres}/dashboard`,
    neonEndpoint: environment["DATABASE_URL"] ? (environment["NEON_ENDPOINT"] ?? "") : `${urlOf(ports.postgres)}/sql`,
    clickhouse: environment["CLICKHOUSE_URL"]
      ? {
          url: environment["CLICKHOUSE_URL"],
          database: environment["CLICKHOUSE_DATABASE"] ?? "default",
          writer: {
            username: environment["CLICKHOUSE_USERNAME"] ?? "default",
            password: environment["CLICKHOUSE_PASSWORD"] ?? "",
          },
          reader: {
            username: environment["CLICKHOUSE_USERNAME"] ?? "default",
            password: environment["CLICKHOUSE_PASSWORD"] ?? "",
          },
        }
      : {
          url: urlOf(ports.clickhouse),
          database: "default",
          writer: { username: "pipeline", password: secrets.clickhouseWriter },
          reader: { username: "dashboard", password: secrets.clickhouseReader },
        },
  };
}

/** Starts the embedded databases and fills them once. Real ones are left as they are: they are not ours to write to. */
async function startStores(setUp: SetUp, databases: Databases): Promise<void> {
  const { environment, dataFolder, ports, start, progress } = setUp;
  const starts: Promise<void>[] = [];
  if (!environment["DATABASE_URL"]) {
    starts.push(
      start("postgres", {
        script: "src/local/postgres/main.ts",
        env: {
          PORT: String(ports.postgres),
          DATA_FOLDER: join(dataFolder, "postgres"),
          DATABASE_URL: databases.databaseUrl,
        },
        ready: () => answers(`${urlOf(ports.postgres)}/healthz`),
      }),
    );
  }
  if (!environment["CLICKHOUSE_URL"]) {
    const { writer, reader } = databases.clickhouse;
    starts.push(
      start("clickhouse", {
        script: "src/local/clickhouse/main.ts",
        env: {
          PORT: String(ports.clickhouse),
          DATA_FOLDER: join(dataFolder, "clickhouse"),
          CLICKHOUSE_WRITER: `${writer.username}:${writer.password}`,
          CLICKHOUSE_READER: `${reader.username}:${reader.password}`,
        },
        ready: () => answers(`${urlOf(ports.clickhouse)}/ping`),
      }),
    );
  }
  await Promise.all(starts);
  if (environment["DATABASE_URL"] || environment["CLICKHOUSE_URL"]) {
    progress("Using your own database servers: no migration and no seed is applied to them.");
    return;
  }
  await loadSeed({ databases, scale: setUp.seed, dataFolder, progress });
}

async function startBridge({ ports, dataFolder, environment, secrets, start }: SetUp): Promise<void> {
  const all = ["produce", "fetch", "consume", "commit", "metadata"];
  await start("bridge", {
    script: "src/bridge/main.ts",
    env: {
      BRIDGE_PORT: String(ports.bridge),
      BRIDGE_HOST: HOST,
      BRIDGE_DATA: join(dataFolder, "bridge"),
      BRIDGE_CREDENTIALS: JSON.stringify([
        {
          username: "reader",
          password: secrets.kafkaReader,
          topics: ["*"],
          verbs: ["fetch", "commit", "metadata", "produce"],
        },
        { username: "developer", password: secrets.kafkaDeveloper, topics: ["*"], verbs: all },
      ]),
      ...(environment["KAFKA_BROKERS"] ? { KAFKA_BROKERS: environment["KAFKA_BROKERS"] } : {}),
    },
    ready: () => answers(`${urlOf(ports.bridge)}/healthz`),
  });
}

async function startIssuer({ ports, dataFolder, start }: SetUp): Promise<void> {
  await start("issuer", {
    script: "src/local/issuer/main.ts",
    env: {
      PORT: String(ports.issuer),
      DATA_FOLDER: join(dataFolder, "issuer"),
      DASHBOARD_ORIGINS: dashboardOrigins(ports).join(","),
    },
    ready: () => answers(`${urlOf(ports.issuer)}/.well-known/openid-configuration`),
  });
}

const dashboardOrigins = (ports: Ports) => [urlOf(ports.api), `http://localhost:${ports.api}`];

async function startWorkers(setUp: SetUp, databases: Databases): Promise<void> {
  const { dataFolder, ports, secrets, start } = setUp;
  const api = wranglerDev({
    name: "creator-dashboard-api",
    config: "wrangler.toml",
    port: ports.api,
    persistTo: join(dataFolder, "api"),
    registry: join(dataFolder, "registry"),
    ...apiSettings({ databases, issuerUrl: urlOf(ports.issuer), origins: dashboardOrigins(ports) }),
  });
  const consumer = wranglerDev({
    name: "creator-dashboard-consumer",
    config: "src/consumer/wrangler.toml",
    port: ports.consumer,
    persistTo: join(dataFolder, "consumer"),
    registry: join(dataFolder, "registry"),
    ...consumerSettings({
      kafkaRestUrl: urlOf(ports.bridge),
      kafkaRestPassword: secrets.kafkaReader,
      adminToken: secrets.adminToken,
    }),
  });
  await Promise.all([
    start("api", { ...api, ready: () => answers(`${urlOf(ports.api)}/healthz`) }),
    start("consumer", { ...consumer, ready: () => answers(`${urlOf(ports.consumer)}/healthz`) }),
  ]);
}

/** What plays events, and what carries them from the log into ClickHouse as a company's own pipeline would. */
async function startPipeline(
  { ports, secrets, dataFolder, traffic, seed, start }: SetUp,
  databases: Databases,
): Promise<void> {
  const kafka = {
    KAFKA_REST_URL: urlOf(ports.bridge),
    KAFKA_REST_USERNAME: "developer",
    KAFKA_REST_PASSWORD: secrets.kafkaDeveloper,
  };
  const { url, database, writer } = databases.clickhouse;
  await start("follower", {
    script: "src/local/follower/main.ts",
    env: {
      ...kafka,
      CLICKHOUSE_URL: url,
      CLICKHOUSE_DATABASE: database,
      CLICKHOUSE_USERNAME: writer.username,
      CLICKHOUSE_PASSWORD: writer.password,
      DATA_FOLDER: join(dataFolder, "follower"),
    },
    ready: () => Promise.resolve(true),
  });
  if (traffic) {
    await start("traffic", {
      script: "src/local/traffic/main.ts",
      env: { ...kafka, DATA_FOLDER: join(dataFolder, "traffic"), SEED_SCALE: seed },
      ready: () => Promise.resolve(true),
    });
  }
}

/** wrangler fires no cron by itself in development: the stack does, once a minute as the consumer's configuration says. */
async function startSupervisor(consumerUrl: string): Promise<NodeJS.Timeout> {
  const fire = async () => {
    const response = await fetch(`${consumerUrl}/cdn-cgi/local/scheduled?cron=*+*+*+*+*`, {
      signal: AbortSignal.timeout(30_000),
    });
    await response.body?.cancel();
  };
  await fire();
  return setInterval(() => {
    // A consumer that is down is reported as a failed part; the next minute tries again.
    fire().catch(() => undefined);
  }, 60_000);
}

function noteOf({ ports, secrets, dataFolder }: SetUp): StackNote {
  return {
    pid: process.pid,
    dataFolder,
    dashboardUrl: `http://localhost:${ports.api}`,
    apiUrl: urlOf(ports.api),
    consumerUrl: urlOf(ports.consumer),
    issuerUrl: urlOf(ports.issuer),
    kafkaRestUrl: urlOf(ports.bridge),
    kafkaRestUsername: "developer",
    kafkaRestPassword: secrets.kafkaDeveloper,
    adminToken: secrets.adminToken,
    demoCreatorId: DEMO_CREATOR_ID,
  };
}
