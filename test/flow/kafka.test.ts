// The whole product in front of a real Kafka: events by Kafka's own console producer, a broker killed in the middle, a
// topic deleted and made anew. Needs Java and Maven; without them its title says so.
import { spawn } from "node:child_process";
import { Admin } from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openKafkaLog } from "../../src/bridge/kafka-log.ts";
import { defaultTopics } from "../../src/contract/events.ts";
import { type KafkaCluster, startKafka, whyNoKafka } from "../bridge/kafka/broker.ts";
import { DashboardSocket } from "./dashboard-socket.ts";
import { expectedTotals, play, type Played, randomOf } from "./events.ts";
import { type Product, startProduct } from "./product.ts";

const PARTITIONS = 6;

/** What each dashboard shows once it is live with the views and seconds expected. */
function shownOn(sockets: ReadonlyMap<string, DashboardSocket>, played: ReadonlyMap<string, Played[]>) {
  return Promise.all(
    [...sockets].map(async ([creatorId, socket]) => {
      const { views, watchSeconds } = expectedTotals(played.get(creatorId) ?? []);
      await socket.until(
        `${views} views and ${watchSeconds} seconds`,
        ({ totals, state }) => state === "live" && totals?.views === views && totals.watchSeconds === watchSeconds,
      );
      return socket.totals;
    }),
  );
}

const missing = whyNoKafka();
describe.skipIf(missing !== undefined)(`on a real Kafka${missing === undefined ? "" : `: not run, ${missing}`}`, () => {
  let cluster: KafkaCluster;
  let product: Product;

  beforeAll(async () => {
    cluster = await startKafka();
    await administer(async (admin) => {
      await admin.createTopics({ topics: [defaultTopics.engagement], partitions: PARTITIONS, replicas: 1 });
      const rare = [defaultTopics.subscription, defaultTopics.payment, defaultTopics.moderation];
      await admin.createTopics({ topics: rare, partitions: 1, replicas: 1 });
    });
    product = await startProduct({ log: openKafkaLog({ brokers: cluster.brokers }) });
    await product.supervise();
  });
  afterAll(async () => {
    await product?.stop();
    await cluster?.stop();
  });

  async function administer(work: (admin: Admin) => Promise<unknown>): Promise<void> {
    const admin = new Admin({ clientId: "flow", bootstrapBrokers: cluster.brokers });
    await work(admin);
    await admin.close();
  }

  /** Kafka's own console producer; resolves when every event is acknowledged. */
  async function produceByConsole(played: readonly Played[]): Promise<void> {
    const tool = ["-XX:TieredStopAtLevel=1", "-cp", cluster.classPath, "org.apache.kafka.tools.ConsoleProducer"];
    const parse = ["--reader-property", "parse.key=true", "--reader-property", "key.separator=|"];
    const to = ["--bootstrap-server", cluster.brokers.join(","), "--topic", defaultTopics.engagement];
    const java = spawn("java", [...tool, ...to, ...parse], { stdio: ["pipe", "ignore", "inherit"] });
    java.stdin.end(played.map((event) => `${event.creatorId}|${JSON.stringify(event)}\n`).join(""));
    const code = await new Promise((resolve) => java.once("exit", resolve));
    expect(code).toBe(0);
  }

  const creators = ["crt_kafka_a", "crt_kafka_b", "crt_kafka_c", "crt_kafka_d"];

  function playAll(seed: number, prefix: string): Map<string, Played[]> {
    const random = randomOf(seed);
    const now = Date.now();
    return new Map(
      creators.map((creatorId) => [creatorId, play({ creatorId, sessions: 60, items: 3, now, random, prefix })]),
    );
  }

  const expectedOf = (played: ReadonlyMap<string, Played[]>) =>
    creators.map((creatorId) => expectedTotals(played.get(creatorId) ?? []));

  test(
    "dashboards show exact totals, also after the broker was killed and after the topic was made anew",
    { timeout: 180_000 },
    async () => {
      const sockets = new Map<string, DashboardSocket>();
      for (const creatorId of creators) {
        sockets.set(creatorId, new DashboardSocket(product.apiUrl, await product.token(creatorId)));
      }
      const before = playAll(21, "before-");
      await produceByConsole([...before.values()].flat());
      expect(await shownOn(sockets, before)).toMatchObject(expectedOf(before));

      await cluster.kill(0);
      await Promise.all([...sockets.values()].map((socket) => socket.until("stale", ({ state }) => state === "stale")));
      await cluster.restart(0);
      const after = playAll(22, "after-");
      await produceByConsole([...after.values()].flat());
      const both = new Map(creators.map((id) => [id, [...(before.get(id) ?? []), ...(after.get(id) ?? [])]]));
      expect(await shownOn(sockets, both)).toMatchObject(expectedOf(both));

      await administer((admin) => admin.deleteTopics({ topics: [defaultTopics.engagement] }));
      await administer((admin) =>
        admin.createTopics({ topics: [defaultTopics.engagement], partitions: PARTITIONS, replicas: 1 }),
      );
      const anew = playAll(23, "anew-");
      await produceByConsole([...anew.values()].flat());
      expect(await shownOn(sockets, anew)).toMatchObject(expectedOf(anew));
      sockets.forEach((socket) => socket.close());
    },
  );
});
