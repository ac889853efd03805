// The whole product in front of a real Kafka: events by Kafka's own console producer, a broker killed in the middle, a
// topic deleted and made anew. Needs Java and Maven; without them its title says so.
import { isDeepStrictEqual } from "node:util";
import { Admin } from "@platformatic/kafka";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openKafkaLog } from "../../src/bridge/kafka-log.ts";
import { defaultTopics } from "../../src/contract/events.ts";
import { sourceOf } from "../../src/contract/ids.ts";
import { partitionOf } from "../../src/contract/partitioner.ts";
import { type KafkaCluster, startKafka, whyNoKafka } from "../bridge/kafka/broker.ts";
import { DashboardSocket } from "./dashboard-socket.ts";
import { expectedTotals, play, type Played, randomOf } from "./events.ts";
import { ConsoleProducer } from "./kafka-console-producer.ts";
import { QuietLog } from "./kafka-quiet-log.ts";
import { type Product, type ReaderSeen, startProduct } from "./product.ts";

const PARTITIONS = 6;

/** Resolves once every dashboard is live and shows the totals of its creator's events, all of them. */
async function shownOn(sockets: ReadonlyMap<string, DashboardSocket>, played: readonly Played[]): Promise<void> {
  await Promise.all(
    [...sockets].map(([creatorId, socket]) => {
      const expected = expectedTotals(played.filter((event) => event.creatorId === creatorId));
      return socket.until(JSON.stringify(expected), ({ totals, state }) => {
        return state === "live" && isDeepStrictEqual({ ...totals, liveViewers: 0 }, { ...expected, liveViewers: 0 });
      });
    }),
  );
}

const missing = whyNoKafka();
describe.skipIf(missing !== undefined)(`on a real Kafka${missing === undefined ? "" : `: not run, ${missing}`}`, () => {
  let cluster: KafkaCluster;
  let product: Product;
  let quiet: QuietLog;

  beforeAll(async () => {
    cluster = await startKafka();
    await administer(async (admin) => {
      await admin.createTopics({ topics: [defaultTopics.engagement], partitions: PARTITIONS, replicas: 1 });
      const rare = [defaultTopics.subscription, defaultTopics.payment, defaultTopics.moderation];
      await admin.createTopics({ topics: rare, partitions: 1, replicas: 1 });
    });
    quiet = new QuietLog(openKafkaLog({ brokers: cluster.brokers }));
    product = await startProduct({ log: quiet.log });
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

  let producer: ConsoleProducer | undefined;
  afterEach(() => producer?.kill());

  const creators = ["crt_kafka_a", "crt_kafka_b", "crt_kafka_c", "crt_kafka_d"];

  function playAll(seed: number, prefix: string, sessions = 60): Played[] {
    const random = randomOf(seed);
    const now = Date.now();
    return creators.flatMap((creatorId) => play({ creatorId, sessions, items: 3, now, random, prefix }));
  }

  /** The readers of the partitions that the creators' events fall into. */
  async function busyReaders(): Promise<ReaderSeen[]> {
    const busy = new Set<string>(creators.map((id) => sourceOf(defaultTopics.engagement, partitionOf(id, PARTITIONS))));
    return (await product.readers()).filter(({ source }) => busy.has(source));
  }

  test(
    "dashboards show exact totals, also after the broker was killed and after the topic was made anew",
    { timeout: 180_000 },
    async () => {
      const sockets = new Map<string, DashboardSocket>();
      for (const creatorId of creators) {
        sockets.set(creatorId, new DashboardSocket(product.apiUrl, await product.token(creatorId)));
      }
      const all = (what: string, condition: (socket: DashboardSocket) => boolean) =>
        Promise.all([...sockets.values()].map((socket) => socket.until(what, condition)));
      producer = new ConsoleProducer(cluster, defaultTopics.engagement);
      const before = playAll(21, "before-");
      producer.write(before);
      await shownOn(sockets, before);

      // The producer goes on through all of it: some events are on their way when the broker dies, some come meanwhile.
      const during = playAll(22, "during-");
      const third = Math.ceil(during.length / 3);
      producer.write(during.slice(0, third));
      await cluster.kill(0);
      producer.write(during.slice(third, 2 * third));
      await all("stale", ({ state }) => state === "stale");
      await cluster.restart(0);
      producer.write(during.slice(2 * third));
      await producer.end();
      await shownOn(sockets, [...before, ...during]);

      // Between two polls the new topic grows beyond every old offset: to read on there would be no error of Kafka's.
      const old = await busyReaders();
      quiet.begin();
      await administer((admin) => admin.deleteTopics({ topics: [defaultTopics.engagement] }));
      await administer((admin) =>
        admin.createTopics({ topics: [defaultTopics.engagement], partitions: PARTITIONS, replicas: 1 }),
      );
      const anew = playAll(23, "anew-", 200);
      producer = new ConsoleProducer(cluster, defaultTopics.engagement);
      producer.write(anew);
      await producer.end();
      quiet.end();
      await shownOn(sockets, anew);
      const readers = await busyReaders();
      expect(Object.fromEntries(quiet.firstOffsets)).toEqual(Object.fromEntries(old.map(({ source }) => [source, 0])));
      expect(readers.length).toBe(old.length);
      for (const { source, status } of readers) {
        const of = old.find((each) => each.source === source)?.status;
        expect(status.topicId).not.toBe(of?.topicId);
        expect(status.epoch).toBeGreaterThan(of?.epoch ?? Infinity);
        const events = anew.filter(({ creatorId }) => source.endsWith(`:${partitionOf(creatorId, PARTITIONS)}`));
        expect(status.offset).toBe(events.length);
        expect(events.length).toBeGreaterThan(of?.offset ?? Infinity);
      }
      sockets.forEach((socket) => socket.close());
    },
  );
});
