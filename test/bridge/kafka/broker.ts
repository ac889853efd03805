// A real Apache Kafka in KRaft mode for tests and benches: one broker or several, on loopback, in a temporary folder.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createWriteStream, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Admin } from "@platformatic/kafka";
import { findKafkaJars } from "./jars.ts";

/** Settings of a test Kafka. */
export interface KafkaClusterOptions {
  brokers?: number;
  /** Adds a SASL_SSL listener with this login, for PLAIN and both SCRAMs. */
  login?: { username: string; password: string };
  /** Further broker settings. */
  settings?: Record<string, string>;
}

/** A running test Kafka. */
export interface KafkaCluster {
  /** `host:port` of every plain listener. */
  brokers: string[];
  /** The classpath of Kafka's own tools. */
  classPath: string;
  /** The SASL_SSL listener and its certificate authority, where asked for. */
  secure: { broker: string; caFile: string } | undefined;
  /** Ends a broker without warning, as kill -9 does. */
  kill(index: number): Promise<void>;
  /** Freezes a broker, or lets it go on: it keeps its connections but answers nothing. */
  freeze(index: number, isFrozen: boolean): void;
  /** Starts a killed broker again, and waits for it. */
  restart(index: number): Promise<void>;
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 60_000;
const CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg";
const STORE_PASSWORD = "for-tests-only";

/** Why no Kafka can be started on this machine; undefined when one can. */
export function whyNoKafka(): string | undefined {
  const jars = findKafkaJars();
  return "missing" in jars ? jars.missing : undefined;
}

/** Starts a Kafka and waits until it serves. Throws with the end of a broker's log when it does not. */
export async function startKafka(options: KafkaClusterOptions = {}): Promise<KafkaCluster> {
  const jars = findKafkaJars();
  if ("missing" in jars) {
    throw new Error(jars.missing);
  }
  const { classPath } = jars;
  const count = options.brokers ?? 1;
  const folder = mkdtempSync(join(tmpdir(), "kafka-for-tests-"));
  const [plain, control, secure] = await Promise.all([freePorts(count), freePorts(count), freePorts(1)]);
  const certificate = options.login === undefined ? undefined : makeCertificate(folder);
  const brokers = plain.map((port) => `127.0.0.1:${port}`);
  const voters = control.map((port, i) => `${i + 1}@127.0.0.1:${port}`).join(",");
  const processes: (ChildProcess | undefined)[] = [];

  const configure = (index: number) => {
    const file = join(folder, `broker-${index}.properties`);
    const replicas = String(Math.min(count, 3));
    const isSecure = certificate !== undefined;
    const securePart = isSecure ? `,SASL_SSL://127.0.0.1:${secure[0]}` : "";
    const settings: Record<string, string> = {
      "process.roles": "broker,controller",
      "node.id": String(index + 1),
      listeners: `PLAINTEXT://127.0.0.1:${plain[index]},CONTROLLER://127.0.0.1:${control[index]}${securePart}`,
      "advertised.listeners": `PLAINTEXT://127.0.0.1:${plain[index]}${securePart}`,
      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
      "controller.listener.names": "CONTROLLER",
      "controller.quorum.voters": voters,
      "offsets.topic.replication.factor": replicas,
      "offsets.topic.num.partitions": "4",
      "transaction.state.log.replication.factor": replicas,
      "transaction.state.log.min.isr": "1",
      "transaction.state.log.num.partitions": "4",
      "group.initial.rebalance.delay.ms": "0",
      "auto.create.topics.enable": "false",
      "broker.session.timeout.ms": "3000",
      "broker.heartbeat.interval.ms": "500",
      "log.dirs": join(folder, `data-${index}`),
      ...(isSecure && options.login !== undefined ? secureSettings(certificate.store, options.login) : {}),
      ...options.settings,
    };
    writeFileSync(
      file,
      Object.entries(settings)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    );
    return file;
  };

  const launch = (index: number) => {
    const file = join(folder, `broker-${index}.properties`);
    const memory = ["-Xmx384m", "-Xms128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
    const child = spawn("java", [...memory, "-cp", classPath, "kafka.Kafka", file], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log = createWriteStream(join(folder, `broker-${index}.log`), { flags: "a" });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    processes[index] = child;
  };

  const cluster: KafkaCluster = {
    brokers,
    classPath,
    secure: certificate && { broker: `127.0.0.1:${secure[0]}`, caFile: certificate.caFile },
    kill: (index) => endProcess(processes[index], "SIGKILL"),
    freeze: (index, isFrozen) => void processes[index]?.kill(isFrozen ? "SIGSTOP" : "SIGCONT"),
    restart: async (index) => {
      launch(index);
      await waitForBrokers([brokers[index] ?? ""], count, folder);
    },
    stop: async () => {
      await Promise.all(processes.map((child) => endProcess(child, "SIGKILL")));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    for (let index = 0; index < count; index++) {
      format(classPath, configure(index), options.login);
      launch(index);
    }
    await waitForBrokers(brokers, count, folder);
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

function format(classPath: string, file: string, login: KafkaClusterOptions["login"]): void {
  const scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) =>
    login === undefined ? [] : ["--add-scram", `${mechanism}=[name=${login.username},password=${login.password}]`],
  );
  const run = ["-XX:TieredStopAtLevel=1", "-cp", classPath, "kafka.tools.StorageTool", "format"];
  const tool = spawnSync("java", [...run, "-t", CLUSTER_ID, "-c", file, ...scram], { encoding: "utf8" });
  if (tool.status !== 0) {
    throw new Error(`Kafka's storage could not be formatted: ${tool.stderr}`);
  }
}

/** A self-signed certificate for loopback, made by the JDK's own tool. */
function makeCertificate(folder: string): { store: string; caFile: string } {
  const store = join(folder, "broker.p12");
  const caFile = join(folder, "ca.pem");
  const shared = ["-keystore", store, "-storepass", STORE_PASSWORD, "-alias", "broker"];
  const name = ["-dname", "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1", "-validity", "30"];
  for (const parts of [
    ["-genkeypair", "-keyalg", "EC", "-storetype", "PKCS12", ...name, ...shared],
    ["-exportcert", "-rfc", "-file", caFile, ...shared],
  ]) {
    const tool = spawnSync("keytool", parts, { encoding: "utf8" });
    if (tool.status !== 0) {
      throw new Error(`keytool: ${tool.stdout}${tool.stderr}`);
    }
  }
  return { store, caFile };
}

function secureSettings(store: string, { username, password }: { username: string; password: string }) {
  const listener = "listener.name.sasl_ssl";
  const security = "org.apache.kafka.common.security";
  return {
    "ssl.keystore.location": store,
    "ssl.keystore.password": STORE_PASSWORD,
    "ssl.keystore.type": "PKCS12",
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    [`${listener}.plain.sasl.jaas.config`]: `${security}.plain.PlainLoginModule required user_${username}="${password}";`,
    [`${listener}.scram-sha-256.sasl.jaas.config`]: `${security}.scram.ScramLoginModule required;`,
    [`${listener}.scram-sha-512.sasl.jaas.config`]: `${security}.scram.ScramLoginModule required;`,
  };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Ready: every one of these brokers answers, and knows of all of them, with an active controller. */
async function waitForBrokers(brokers: string[], count: number, folder: string): Promise<void> {
  const end = Date.now() + START_DEADLINE_MS;
  for (const broker of brokers) {
    for (;;) {
      const admin = new Admin({ clientId: "wait", bootstrapBrokers: [broker], retries: 0, connectTimeout: 1_000 });
      const known = await admin.metadata({ topics: [] }).then(
        (metadata) => metadata.brokers.size,
        () => 0,
      );
      await admin.close();
      if (known >= count) {
        break;
      }
      if (Date.now() > end) {
        const logs = brokers.map((_, i) => readFileSync(join(folder, `broker-${i}.log`), "utf8").slice(-2_000));
        throw new Error(`Kafka did not start in ${START_DEADLINE_MS} ms:\n${logs.join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function endProcess(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill(signal);
  });
}
