// The bridge beside other clients of the same Kafka: kafkajs, Kafka's own console producer, transactions, TLS and SASL.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { Kafka, Partitioners, logLevel } from "kafkajs";
import { expect, onTestFinished, test } from "vitest";
import { bridgeTo, withKafka } from "./with-kafka.ts";
import type { Message } from "./rest-client.ts";
import { waitUntil } from "./wait-until.ts";

const login = { username: "alice", password: "alice-secret" };

/** Where records lie and when they were stored, in order. */
const instantsOf = (messages: readonly Message[]) =>
  messages.map(({ partition, offset, timestamp }) => `${partition}/${offset} ${timestamp}`).toSorted();

withKafka("the bridge among other clients", { login }, (now) => {
  const kafkajs = () => new Kafka({ clientId: "kafkajs", brokers: now().cluster.brokers, logLevel: logLevel.NOTHING });

  const topicOf = async (partitions = 1): Promise<string> => {
    const topic = `clients-${randomUUID()}`;
    const admin = kafkajs().admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
    await admin.disconnect();
    return topic;
  };

  const fetched = async (topic: string, partition = 0, offset = 0, timeout = 500): Promise<Message[]> =>
    (await now().rest.post("/fetch", { topic, partition, offset, timeout })).json<Message[]>();

  const keys = Array.from({ length: 60 }, (_, i) => `creator-${i}${"é".repeat(i % 3)}`);

  test("what kafkajs wrote comes out of /fetch unchanged: key, value, headers, partition, timestamp", async () => {
    const topic = await topicOf(6);
    const producer = kafkajs().producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const messages = keys.map((key, i) => ({
      key,
      value: `{"n":${i}}`,
      timestamp: String(1_700_000_000_000 + i),
      headers: { "trace-id": `t${i}` },
    }));
    await producer.send({ topic, messages });
    await producer.disconnect();
    const found = (await Promise.all(Array.from({ length: 6 }, (_, partition) => fetched(topic, partition)))).flat();
    expect(found).toHaveLength(keys.length);
    const partitionFor = Partitioners.DefaultPartitioner();
    const partitionMetadata = Array.from({ length: 6 }, (_, partitionId) => {
      return { partitionId, leader: 1, replicas: [1], isr: [1], partitionErrorCode: 0 };
    });
    for (const [i, key] of keys.entries()) {
      expect(found.find((each) => each.key === key)).toMatchObject({
        partition: partitionFor({ topic, partitionMetadata, message: { key, value: "" } }),
        value: `{"n":${i}}`,
        timestamp: 1_700_000_000_000 + i,
        headers: [{ key: "trace-id", value: `t${i}` }],
      });
    }
  });

  test("what the bridge produces lies where kafkajs would put it, and kafkajs reads it unchanged", async () => {
    const topic = await topicOf(6);
    const records = keys.map((key, i) => ({
      key,
      value: `v${i}`,
      timestamp: 1_700_000_000_000 + i,
      headers: [{ key: "h", value: `✓${i}` }],
    }));
    await now().rest.post(`/produce/${topic}`, records);
    const consumer = kafkajs().consumer({ groupId: randomUUID() });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const read = new Map<string, { value: string; timestamp: string; header: string; partition: number }>();
    await consumer.run({
      eachMessage: async ({ message, partition }) => {
        const { timestamp } = message;
        const header = String(message.headers?.["h"]);
        read.set(String(message.key), { value: String(message.value), timestamp, header, partition });
      },
    });
    await expect.poll(() => read.size, { timeout: 15_000 }).toBe(keys.length);
    await consumer.disconnect();
    const partitionFor = Partitioners.DefaultPartitioner();
    const partitionMetadata = Array.from({ length: 6 }, (_, partitionId) => {
      return { partitionId, leader: 1, replicas: [1], isr: [1], partitionErrorCode: 0 };
    });
    for (const [i, key] of keys.entries()) {
      expect(read.get(key)).toEqual({
        value: `v${i}`,
        timestamp: String(1_700_000_000_000 + i),
        header: `✓${i}`,
        partition: partitionFor({ topic, partitionMetadata, message: { key, value: "" } }),
      });
    }
  });

  test("a record for a partition that was just added lands there", async () => {
    const topic = await topicOf(1);
    const { log, rest } = now();
    await rest.post(`/produce/${topic}`, { value: "before" });
    const admin = kafkajs().admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
    await admin.disconnect();
    await waitUntil("the new partitions are known", async () => {
      return (await log.topic(topic, AbortSignal.timeout(5_000), { fresh: true }))?.partitions === 3;
    });
    const records = [2, 0, 1].map((partition) => ({ partition, value: `for ${partition}` }));
    // A new partition's leader may not be there yet.
    await waitUntil("all three are taken", async () => {
      const answer = await rest.post(`/produce/${topic}`, records);
      const stored = answer.status === 200 ? answer.json<Message[]>() : [];
      return stored.map(({ partition }) => partition).join() === "2,0,1";
    });
    expect((await fetched(topic, 2)).map(({ value }) => value)).toContain("for 2");
    expect((await fetched(topic, 0)).map(({ value }) => value)).not.toContain("for 2");
  });

  test("an instance reads partitions that were added after it had joined", async () => {
    const topic = await topicOf(1);
    const { rest } = now();
    const path = `/consume/${randomUUID()}/one`;
    const options = { headers: { "Kafka-Auto-Offset-Reset": "earliest" } };
    await rest.post(`/produce/${topic}`, { value: "first" });
    expect((await rest.post(path, { topic, timeout: 5_000 }, options)).json<Message[]>()).toMatchObject([
      { offset: 0 },
    ]);
    const admin = kafkajs().admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
    await admin.disconnect();
    await waitUntil("the new partition takes a record", async () => {
      return (await rest.post(`/produce/${topic}`, { partition: 1, value: "second" })).status === 200;
    });
    await waitUntil("the instance has read it", async () => {
      const read = (await rest.post(path, { topic, timeout: 1_000 }, options)).json<Message[]>();
      return read.some(({ partition, value }) => partition === 1 && value === "second");
    });
  });

  test("added partitions are shared out though nobody calls the instance that leads the group", async () => {
    const topic = await topicOf(2);
    const { rest } = now();
    const group = randomUUID();
    const options = { headers: { "Kafka-Auto-Offset-Reset": "earliest" } };
    const read = async (instance: string) => {
      const answer = await rest.post(`/consume/${group}/${instance}`, { topic, timeout: 500 }, options);
      return answer.status === 200 ? answer.json<Message[]>() : [];
    };
    for (const partition of [0, 1]) {
      await rest.post(`/produce/${topic}`, { partition, value: "old" });
    }
    await waitUntil("the first reads", async () => (await read("first")).length > 0);
    await waitUntil("the second reads", async () => (await read("second")).length > 0);

    const admin = kafkajs().admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
    await admin.disconnect();
    for (const partition of [2, 3]) {
      await waitUntil("the new partition takes a record", async () => {
        return (await rest.post(`/produce/${topic}`, { partition, value: "new" })).status === 200;
      });
    }

    const given: Message[] = [];
    await waitUntil("the second reads a new partition", async () => {
      given.push(...(await read("second")));
      return given.some(({ partition }) => partition >= 2);
    });
    expect(given.map(({ value }) => value)).toContain("new");
  });

  test("a topic whose timestamps are the broker's answers with those", async () => {
    const topic = `clients-${randomUUID()}`;
    const admin = kafkajs().admin();
    await admin.connect();
    const configEntries = [{ name: "message.timestamp.type", value: "LogAppendTime" }];
    await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }], waitForLeaders: true });
    await admin.disconnect();

    const records = [0, 1, 0].map((partition) => ({ partition, value: "x", timestamp: 1_700_000_000_000 }));
    const answered = (await now().rest.post(`/produce/${topic}`, records)).json<Message[]>();

    const stored = [...(await fetched(topic, 0)), ...(await fetched(topic, 1))];
    expect(instantsOf(answered)).toEqual(instantsOf(stored));
    expect(stored.every(({ timestamp }) => timestamp > 1_700_000_000_000)).toBe(true);
  });

  test("bridges beside each other are one: producing, reading, and sharing a group out among their instances", async () => {
    const topic = await topicOf(2);
    const { cluster, rest } = now();
    const other = await bridgeTo({ brokers: cluster.brokers });
    onTestFinished(() => other.close());
    const group = randomUUID();
    const consume = async (through: typeof rest, instance: string) => {
      const options = { headers: { "Kafka-Auto-Offset-Reset": "earliest", "Kafka-Auto-Commit-Interval": "0" } };
      const answer = await through.post(`/consume/${group}/${instance}`, { topic, timeout: 1_000 }, options);
      return answer.status === 200 ? answer.json<Message[]>() : [];
    };
    for (const [at, through] of [rest, other.rest, rest, other.rest].entries()) {
      await through.post(`/produce/${topic}`, { partition: at % 2, value: String(at) });
    }
    const seen = (
      await Promise.all([rest, other.rest].map((each) => each.post("/fetch", { topic, partition: 1 })))
    ).map((answer) => answer.json<Message[]>().map(({ value }) => value));
    expect(seen).toEqual([
      ["1", "3"],
      ["1", "3"],
    ]);

    const read: string[] = [];
    const readBoth = async () => {
      const messages = await Promise.all([consume(rest, "here"), consume(other.rest, "there")]);
      messages.flat().forEach(({ partition, offset }) => read.push(`${partition}:${offset}`));
      return messages;
    };
    await waitUntil("each instance has a partition", async () => {
      await readBoth();
      const shares = await Promise.all([rest, other.rest].map((each) => each.get("/consumers")));
      return shares.every((answer) => {
        const listed = answer.json<{ name: string; instances: { topics: { partitions: number[] }[] }[] }[]>();
        return listed.find(({ name }) => name === group)?.instances[0]?.topics[0]?.partitions.length === 1;
      });
    });
    await other.rest.post(
      `/produce/${topic}`,
      [0, 1].map((partition) => ({ partition, value: "later" })),
    );
    await waitUntil("all six have been read", async () => {
      await readBoth();
      return new Set(read).size === 6;
    });

    await other.close();
    await rest.post(
      `/produce/${topic}`,
      [0, 1].map((partition) => ({ partition, value: "last" })),
    );
    await waitUntil("the instance that stays reads both partitions", async () => {
      (await consume(rest, "here")).forEach(({ partition, offset }) => read.push(`${partition}:${offset}`));
      return read.includes("0:3") && read.includes("1:3");
    });
  });

  test("offsets committed through the bridge are where a kafkajs consumer begins, and the reverse", async () => {
    const topic = await topicOf();
    const groupId = randomUUID();
    const { rest } = now();
    await rest.post(
      `/produce/${topic}`,
      Array.from({ length: 6 }, (_, i) => ({ value: String(i) })),
    );
    await rest.post(`/commit/${groupId}/bridge`, { topic, partition: 0, offset: 4 });
    const consumer = kafkajs().consumer({ groupId });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const read: string[] = [];
    await consumer.run({
      eachMessage: async ({ message }) => {
        read.push(String(message.value));
      },
    });
    await expect.poll(() => read, { timeout: 15_000 }).toEqual(["4", "5"]);
    // While kafkajs is a member, nobody else may move the group's offsets.
    expect((await rest.post(`/commit/${groupId}/bridge`, { topic, partition: 0, offset: 0 })).status).toBe(409);
    // Nor join it: the two do not know the same ways to share partitions.
    const joining = await rest.post(`/consume/${groupId}/bridge`, { topic, timeout: 3_000 });
    expect([joining.status, joining.json()]).toMatchObject([409, { result: "Error", status: 409 }]);
    await consumer.commitOffsets([{ topic, partition: 0, offset: "6" }]);
    await consumer.disconnect();
    const committed = await rest.post(`/committed/${groupId}/bridge`, { topic, partition: 0 });
    expect(committed.json<unknown>()).toEqual([{ topic, partition: 0, offset: 6 }]);
  });

  test.each(["gzip", "snappy", "lz4", "zstd"])(
    "records that Kafka's own producer compressed with %s are read",
    async (codec) => {
      const topic = await topicOf();
      const { cluster } = now();
      const tool = ["-XX:TieredStopAtLevel=1", "-cp", cluster.classPath, "org.apache.kafka.tools.ConsoleProducer"];
      const parse = ["--reader-property", "parse.key=true", "--reader-property", "key.separator=|"];
      const to = ["--bootstrap-server", cluster.brokers[0] ?? "", "--topic", topic, "--compression-codec", codec];
      const java = spawn("java", [...tool, ...to, ...parse], { stdio: ["pipe", "ignore", "inherit"] });
      const lines = Array.from({ length: 500 }, (_, i) => `key-${i % 7}|${codec} ${i} ${"abc".repeat(30)}`);
      java.stdin.end(`${lines.join("\n")}\n`);
      await new Promise((resolve) => java.once("exit", resolve));
      const found = await fetched(topic);
      expect(found.map(({ key, value }) => `${key}|${value}`)).toEqual(lines);
    },
  );

  test("only committed records are read: aborted ones and markers are passed over, open ones are waited for", async () => {
    const topic = await topicOf();
    const { rest } = now();
    const producer = kafkajs().producer({
      transactionalId: randomUUID(),
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const transact = async (values: string[], end: "commit" | "abort") => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: values.map((value) => ({ value })) });
      await transaction[end]();
    };
    await rest.post(`/produce/${topic}`, { value: "plain" });
    await transact(["aborted 1", "aborted 2"], "abort");
    await transact(["aborted 3"], "abort");
    await transact(["committed"], "commit");
    await rest.post(`/produce/${topic}`, { value: "plain again" });
    await transact(["aborted 4"], "abort");
    const visible = ["plain", "committed", "plain again"];
    expect((await fetched(topic)).map(({ value }) => value)).toEqual(visible);
    // From the middle of an aborted stretch, and behind everything visible.
    expect((await fetched(topic, 0, 2)).map(({ value }) => value)).toEqual(visible.slice(1));
    const last = (await fetched(topic)).at(-1)?.offset ?? 0;
    expect(await fetched(topic, 0, last + 1, 300)).toEqual([]);

    const open = await producer.transaction();
    await open.send({ topic, messages: [{ value: "open" }] });
    await rest.post(`/produce/${topic}`, { value: "behind the open one" });
    const waiting = fetched(topic, 0, last + 1, 10_000);
    expect(await fetched(topic, 0, last + 1, 300)).toEqual([]);
    await open.commit();
    expect((await waiting)[0]?.value).toBe("open");
    expect((await fetched(topic, 0, last + 1)).map(({ value }) => value)).toEqual(["open", "behind the open one"]);
    await producer.disconnect();
  });

  test.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const)(
    "TLS with SASL %s works, with polls and groups",
    async (mechanism) => {
      const topic = await topicOf();
      const { secure } = now().cluster;
      const { rest, close } = await bridgeTo({
        brokers: [secure?.broker ?? ""],
        tls: { caFile: secure?.caFile },
        sasl: { mechanism, ...login },
      });
      const waiting = rest.post("/fetch", { topic, partition: 0, offset: 0, timeout: 10_000 });
      expect((await rest.post(`/produce/${topic}`, { value: "secret" })).status).toBe(200);
      expect((await waiting).json<Message[]>()).toMatchObject([{ value: "secret" }]);
      const headers = { "Kafka-Auto-Offset-Reset": "earliest" };
      const consumed = await rest.post(`/consume/${randomUUID()}/one`, { topic, timeout: 5_000 }, { headers });
      expect(consumed.json<Message[]>()).toMatchObject([{ value: "secret" }]);
      await close();
    },
  );

  test("a bridge that Kafka does not let in is not ready, and says 503 without saying why", async () => {
    const { secure } = now().cluster;
    const { rest, close } = await bridgeTo({
      brokers: [secure?.broker ?? ""],
      tls: { caFile: secure?.caFile },
      sasl: { mechanism: "PLAIN", username: "alice", password: "wrong" },
    });
    const answer = await rest.post("/fetch", { topic: "any", partition: 0, offset: 0, timeout: 1_000 });
    expect(answer.json()).toEqual({ result: "Error", error: "Kafka is unavailable", status: 503 });
    expect((await rest.get("/readyz")).status).toBe(503);
    await close();
  });
});
