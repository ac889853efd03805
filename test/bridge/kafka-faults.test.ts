// Brokers that die, freeze and come back, and leaders that move, under a bridge that goes on.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Admin } from "@platformatic/kafka";
import { expect, test } from "vitest";
import { bridgeTo, withKafka } from "./with-kafka.ts";
import type { KafkaCluster } from "./kafka/broker.ts";
import type { Message, RestClient } from "./rest-client.ts";
import { waitUntil } from "./wait-until.ts";

async function createTopic({ brokers }: KafkaCluster, topic: string, replicas: number): Promise<void> {
  const admin = new Admin({ clientId: "tests", bootstrapBrokers: brokers, retries: 5, retryDelay: 200 });
  await admin.createTopics({ topics: [topic], partitions: 1, replicas });
  await admin.close();
}

/** Every record of partition 0. */
async function readAll(rest: RestClient, topic: string): Promise<string[]> {
  const values: string[] = [];
  for (;;) {
    const answer = await rest.post("/fetch", { topic, partition: 0, offset: values.length, timeout: 1_000 });
    expect(answer.status).toBe(200);
    const messages = answer.json<Message[]>();
    if (messages.length === 0) {
      return values;
    }
    values.push(...messages.map(({ value }) => value));
  }
}

withKafka("one broker", {}, (now) => {
  test("a broker that is killed means 503 within the request's timeout, and one that is back needs no restart of ours", async () => {
    const { cluster, rest } = now();
    const topic = "restarted";
    await createTopic(cluster, topic, 1);
    await rest.post(`/produce/${topic}`, { value: "before" });
    const waiting = rest.post("/fetch", { topic, partition: 0, offset: 1, timeout: 3_000 });
    await cluster.kill(0);
    for (const answer of [
      await waiting,
      await rest.post("/fetch", { topic, partition: 0, offset: 1, timeout: 1_000 }),
      await rest.post("/offsets/latest?timeout=1000", { topic, partition: 0 }),
      await rest.post("/committed/group/one?timeout=1000", { topic, partition: 0 }),
    ]) {
      expect(answer.json()).toEqual({ result: "Error", error: "Kafka is unavailable", status: 503 });
      expect(answer.headers["retry-after"]).toBe("1");
      expect(answer.ms).toBeLessThan(3_300);
    }
    expect((await rest.post(`/produce/${topic}`, { value: "lost" })).status).toBe(503);
    expect((await rest.get("/readyz")).status).toBe(503);
    expect((await rest.get("/healthz")).status).toBe(200);
    await cluster.restart(0);
    await waitUntil("the bridge is ready again", async () => (await rest.get("/readyz")).status === 200);
    await waitUntil("producing works again", async () => {
      return (await rest.post(`/produce/${topic}`, { value: "after" })).status === 200;
    });
    const values = await readAll(rest, topic);
    expect(values[0]).toBe("before");
    expect(values).toContain("after");
  });

  test("a broker that hangs with its connections open means 503 within the request's timeout", async () => {
    const { cluster, rest } = now();
    const topic = "frozen";
    await createTopic(cluster, topic, 1);
    await rest.post(`/produce/${topic}`, { value: "before" });
    const headers = { "Kafka-Auto-Offset-Reset": "earliest", "Kafka-Auto-Commit-Interval": "0" };
    for (const instance of ["one", "two"]) {
      await waitUntil(`instance ${instance} has read`, async () => {
        const read = await rest.post(`/consume/${instance}s/${instance}`, { topic, timeout: 1_000 }, { headers });
        return read.status === 200 && read.json<Message[]>().length === 1;
      });
    }
    cluster.freeze(0, true);
    const answers = await Promise.all([
      rest.post("/fetch", { topic, partition: 0, offset: 0, timeout: 1_000 }),
      rest.post("/consume/ones/one", { topic, timeout: 1_000 }),
      rest.post("/consume/others/new", { topic, timeout: 1_000 }),
      rest.post("/commit/twos/two?timeout=1000"),
    ]);
    const left = await rest.post("/delete-consumer/ones/one?timeout=1000");
    cluster.freeze(0, false);
    for (const answer of [...answers, left]) {
      expect(answer.json()).toEqual({ result: "Error", error: "Kafka is unavailable", status: 503 });
      expect(answer.ms).toBeLessThan(1_400);
    }
    expect(await readAll(rest, topic)).toEqual(["before"]);
  });

  test("a broker that accepts connections and says nothing is passed over, and not asked again", async () => {
    const { cluster } = now();
    const topic = "beside-a-silent-one";
    await createTopic(cluster, topic, 1);
    const silent = createServer((socket) => socket.on("error", () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const { rest, close } = await bridgeTo({ brokers: [`127.0.0.1:${port}`, ...cluster.brokers] });
    expect((await rest.get("/readyz")).status).toBe(200);
    expect((await rest.post(`/produce/${topic}`, { value: "here" })).status).toBe(200);
    const offsets = await rest.post("/offsets/latest?timeout=1000", { topic, partition: 0 });
    expect([offsets.status, offsets.ms < 500]).toEqual([200, true]);
    await close();
    silent.close();

    const alone = createServer((socket) => socket.on("error", () => undefined).resume());
    await new Promise<void>((resolve) => alone.listen(0, "127.0.0.1", resolve));
    const other = await bridgeTo({ brokers: [`127.0.0.1:${(alone.address() as AddressInfo).port}`] });
    expect((await other.rest.get("/readyz")).status).toBe(503);
    await other.close();
    alone.close();
  });
});

withKafka("three brokers", { brokers: 3, settings: { "min.insync.replicas": "2" } }, (now) => {
  test("while the first broker hangs, the bridge is ready and answers from the others", async () => {
    const { cluster, rest } = now();
    const topic = "beside-a-frozen-one";
    await createTopic(cluster, topic, 3);
    await rest.post(`/produce/${topic}`, { value: "before" });
    cluster.freeze(0, true);
    try {
      // Wherever the partition's leader was, the others have one within the session of the frozen broker.
      await waitUntil("the record is read", async () => {
        const answer = await rest.post("/fetch", { topic, partition: 0, offset: 0, timeout: 1_000 });
        return answer.status === 200 && answer.json<Message[]>()[0]?.value === "before";
      });
      expect((await rest.get("/readyz")).status).toBe(200);
      expect((await rest.get("/topics")).ms).toBeLessThan(1_000);
      await waitUntil("a record is taken", async () => {
        return (await rest.post(`/produce/${topic}`, { value: "meanwhile" })).status === 200;
      });
    } finally {
      cluster.freeze(0, false);
    }
  });

  test("when a leader dies, polls and produces go on at the next one and nothing acknowledged is lost or doubled", async () => {
    const { cluster, rest } = now();
    const topic = "replicated";
    await createTopic(cluster, topic, 3);
    const leader = async (): Promise<number> => {
      const admin = new Admin({ clientId: "tests", bootstrapBrokers: cluster.brokers, retries: 10, retryDelay: 200 });
      const metadata = await admin.metadata({ topics: [topic], forceUpdate: true });
      await admin.close();
      return metadata.topics.get(topic)?.partitions[0]?.leader ?? 0;
    };
    const acknowledged: string[] = [];
    const produce = async (value: string) => {
      await waitUntil(`${value} is acknowledged`, async () => {
        return (await rest.post(`/produce/${topic}`, { value })).status === 200;
      });
      acknowledged.push(value);
    };
    for (let i = 0; i < 20; i++) {
      await produce(`before ${i}`);
    }
    const first = await leader();
    const waiting = rest.post("/fetch", { topic, partition: 0, offset: 20, timeout: 20_000 });
    await cluster.kill(first - 1);
    for (let i = 0; i < 20; i++) {
      await produce(`after ${i}`);
    }
    const woken = await waiting;
    expect([woken.status, woken.json<Message[]>()[0]?.value]).toEqual([200, "after 0"]);
    expect(await leader()).not.toBe(first);
    await cluster.restart(first - 1);
    await produce("all three again");
    expect(await readAll(rest, topic)).toEqual(acknowledged);
  });
});
