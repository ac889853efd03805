// What the cases of the conformance suite share: the log under test, logins and limits.
import type { Kafka } from "@upstash/kafka";
import type { Log } from "../../src/bridge/log.ts";
import type { Bridge } from "../../src/bridge/server.ts";
import type { RestClient } from "./rest-client.ts";

/** A log under test, with the administration that the contract lacks. */
export interface LogUnderTest {
  log: Log;
  createTopic(name: string, partitions: number): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** What the cases work with. */
export interface Bench {
  readonly kafka: Kafka;
  readonly rest: RestClient;
  readonly bridge: Bridge;
  readonly under: LogUnderTest;
  /** Makes a topic of this case's own, with that many partitions. */
  topic(partitions?: number): Promise<string>;
}

/** The logins of the bridge under test. */
export const logins = {
  all: { username: "everything", password: "everything-password" },
  reader: { username: "reader", password: "reader-password", topics: ["conf-*"], verbs: ["fetch" as const] },
  narrow: { username: "narrow", password: "narrow-password", topics: ["narrow-topic"] },
};

/** Small enough to reach in a test. */
export const testLimits = {
  maxBodyBytes: 3_000_000,
  maxMessageBytes: 500_000,
  maxFetchRecords: 500,
  maxFetchBytes: 400_000,
  maxTimeoutMs: 3_000,
  requestsPerSecond: 0,
};
