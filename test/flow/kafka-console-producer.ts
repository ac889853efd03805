// Kafka's own console producer, fed line by line: a producer that shares nothing with the product.
import { type ChildProcess, spawn } from "node:child_process";
import type { KafkaCluster } from "../bridge/kafka/broker.ts";
import type { Played } from "./events.ts";

/** What the tool gives up after by itself, three tries, is less than a broker needs to come back. */
const RETRIES = "1000";

/** A running console producer of one topic. Events are keyed by creator. */
export class ConsoleProducer {
  readonly #java: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(cluster: KafkaCluster, topic: string) {
    const tool = ["-XX:TieredStopAtLevel=1", "-cp", cluster.classPath, "org.apache.kafka.tools.ConsoleProducer"];
    const to = ["--bootstrap-server", cluster.brokers.join(","), "--topic", topic];
    const parse = ["--reader-property", "parse.key=true", "--reader-property", "key.separator=|"];
    this.#java = spawn("java", [...tool, ...to, ...parse, "--message-send-max-retries", RETRIES], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    this.#ended = new Promise((resolve) => this.#java.once("exit", resolve));
  }

  /** Hands events over; the tool sends them when it can. */
  write(events: readonly Played[]): void {
    this.#java.stdin?.write(events.map((event) => `${event.creatorId}|${JSON.stringify(event)}\n`).join(""));
  }

  /** Resolves when every event is acknowledged; throws when the tool fails. */
  async end(): Promise<void> {
    this.#java.stdin?.end();
    const code = await this.#ended;
    if (code !== 0) {
      throw new Error(`the console producer ended with ${String(code)}`);
    }
  }

  /** Ends it whatever it does. */
  async kill(): Promise<void> {
    this.#java.kill("SIGKILL");
    await this.#ended;
  }
}
