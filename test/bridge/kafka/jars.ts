// The jars of a real Apache Kafka: fetched once from Maven Central into a cache folder, by Maven's own client.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** As in pom.xml, which names the version; a change there needs a new folder here. */
const VERSION = "4.2.2";
const root = join(import.meta.dirname, "..", "..", "..");
const folder = join(root, ".data", `kafka-${VERSION}`);

/** Kafka 4 brokers need at least this Java. */
const LEAST_JAVA = 17;

/** Where the jars are, or why there is no Kafka on this machine. */
export type KafkaJars = { classPath: string } | { missing: string };

/** Finds the jars, fetching them when this machine can. */
export function findKafkaJars(): KafkaJars {
  const java = spawnSync("java", ["-version"], { encoding: "utf8" });
  const version = Number(/version "(\d+)/.exec(java.stderr ?? "")?.[1] ?? 0);
  if (version < LEAST_JAVA) {
    return { missing: `Java ${LEAST_JAVA} or newer is not installed` };
  }
  const lib = join(folder, "lib");
  if (!existsSync(lib)) {
    const failure = fetchJars(lib);
    if (failure !== undefined) {
      return { missing: failure };
    }
  }
  return { classPath: join(lib, "*") };
}

function fetchJars(lib: string): string | undefined {
  if (spawnSync("mvn", ["-v"]).status !== 0) {
    return "Maven, which fetches Kafka's jars, is not installed";
  }
  mkdirSync(folder, { recursive: true });
  // Renamed into place once whole; another process may be doing the same.
  const fetched = mkdtempSync(join(folder, "fetch-"));
  const pom = join(import.meta.dirname, "pom.xml");
  const copy = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${join(fetched, "lib")}`];
  const maven = spawnSync("mvn", copy, { encoding: "utf8", timeout: 300_000 });
  try {
    if (maven.status !== 0) {
      return `Maven could not fetch Kafka's jars: ${maven.stdout.trim().split("\n")[0] ?? ""}`;
    }
    if (!existsSync(lib)) {
      renameSync(join(fetched, "lib"), lib);
    }
    return undefined;
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }
}
