// `npm run bench:bridge`: the bridge in front of a real Kafka, beside the bare client without HTTP and Kafka's own perf tools.
// Rounds alternate; the last line is JSON: the median of the rounds' ratios to the bare client's records per second, and
// how much later a waiting poll is answered (p99, milliseconds). Bridged, one more process shares the machine: on few or busy
// cores the ratios say as much of them as of the bridge, hence also the CPU time of a record in bridge and bare client.
import { spawn } from "node:child_process";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { Admin, Consumer, Producer, stringDeserializers } from "@platformatic/kafka";
import { startKafka, whyNoKafka } from "../bridge/kafka/broker.ts";
import { cpuSeconds } from "./process-cpu.ts";

const ROUNDS = 15;
const PARTITIONS = 2;
const RECORDS = 200_000;
const BATCH = 1_000;
/** Batches under way at once, on either path. */
const CONCURRENCY = 4;
const VALUE = "x".repeat(300);
const WAKES = 300;
const FETCH_BYTES = 3 * 1024 * 1024;
const login = { username: "bench", password: "bench-password" };

const missing = whyNoKafka();
if (missing !== undefined) {
  console.log(`bench:bridge needs a real Kafka: ${missing}`);
  process.exit(0);
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const percentile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
const rate = async (records: number, work: () => Promise<unknown>) => {
  const started = performance.now();
  await work();
  return records / ((performance.now() - started) / 1000);
};
/** How long single requests took, milliseconds, of whatever is being measured. */
let requestMs: number[] = [];
const timed = async <T>(work: () => Promise<T>): Promise<T> => {
  const started = performance.now();
  const result = await work();
  requestMs.push(performance.now() - started);
  return result;
};
/** Does `count` pieces of work, some of them at once. */
const spread = async (count: number, work: (index: number) => Promise<unknown>) => {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      next += 1;
      const index = next - 1;
      await timed(() => work(index));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
};

const cluster = await startKafka();
const options = { clientId: "bench", bootstrapBrokers: cluster.brokers };
const admin = new Admin(options);
await admin.createTopics({ topics: ["bare", "bridged", "perf", "read"], partitions: PARTITIONS, replicas: 1 });
await admin.createTopics({ topics: ["wake"], partitions: 1, replicas: 1 });
const producer = new Producer({ ...options, acks: -1, idempotent: true });
const consumer = () =>
  new Consumer({
    ...options,
    groupId: "bench",
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    deserializers: stringDeserializers,
  });

// Both sides run with the same flags, whichever they are.
const program = [...process.execArgv, `${import.meta.dirname}/../../src/bridge/main.ts`];
const bridge = spawn(process.execPath, program, {
  stdio: ["ignore", "pipe", "inherit"],
  env: {
    ...process.env,
    KAFKA_BROKERS: cluster.brokers.join(","),
    BRIDGE_PORT: "0",
    BRIDGE_CREDENTIALS: JSON.stringify([login]),
    BRIDGE_REQUESTS_PER_SECOND: "0",
  },
});
const url = await new Promise<string>((resolve) => {
  createInterface({ input: bridge.stdout }).on("line", (line) => resolve((JSON.parse(line) as { url: string }).url));
});
const authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
const agent = new Agent({ keepAlive: true });
/** Sends JSON and takes the answer as bytes: what a client then does with them is not the bridge's. */
const post = (path: string, body: string | Buffer) =>
  new Promise<Buffer>((resolve, reject) => {
    const sent = request(`${url}${path}`, { method: "POST", agent, headers: { authorization } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const bytes = Buffer.concat(chunks);
        return answer.statusCode === 200 ? resolve(bytes) : reject(new Error(`${path}: ${bytes.toString()}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });

// Both paths begin with records at hand, in the form each of them takes.
const bareBatches = (topic: string) =>
  Array.from({ length: PARTITIONS }, (_, partition) =>
    Array.from({ length: BATCH }, (__, i) => {
      return { topic, partition, key: Buffer.from(`key-${i}`), value: Buffer.from(VALUE) };
    }),
  );
const bridgedBatches = Array.from({ length: PARTITIONS }, (_, partition) =>
  Buffer.from(JSON.stringify(Array.from({ length: BATCH }, (__, i) => ({ key: `key-${i}`, value: VALUE, partition })))),
);

const produceBare = async (topic: string) => {
  const batches = bareBatches(topic);
  await spread(RECORDS / BATCH, (index) => producer.send({ messages: batches[index % PARTITIONS] ?? [] }));
};
const produceBridged = () =>
  spread(RECORDS / BATCH, (index) => post("/produce/bridged", bridgedBatches[index % PARTITIONS] ?? "[]"));

const { topics, brokers } = await admin.metadata({ topics: ["read", "wake"] });
const [node = 1] = brokers.keys();

interface Cursor {
  topic: string;
  partition: number;
  offset: number;
}

/** Reads on with the bare client, as text; answers how many records there were. */
async function fetchBare(reader: ReturnType<typeof consumer>, cursor: Cursor): Promise<number> {
  const { topic, partition } = cursor;
  const response = await reader.fetch({
    node,
    maxWaitTime: 5_000,
    topics: [
      {
        topicId: topics.get(topic)?.id ?? "",
        partitions: [
          {
            partition,
            fetchOffset: BigInt(cursor.offset),
            partitionMaxBytes: FETCH_BYTES,
            currentLeaderEpoch: -1,
            lastFetchedEpoch: -1,
          },
        ],
      },
    ],
  });
  let read = 0;
  for (const batch of response.responses[0]?.partitions[0]?.records ?? []) {
    for (const record of batch.records) {
      const offset = Number(batch.firstOffset) + record.offsetDelta;
      if (offset >= cursor.offset && record.value !== null && record.value.toString() !== "") {
        read += 1;
        cursor.offset = offset + 1;
      }
    }
  }
  return read;
}

/** Reads on through the bridge. */
async function fetchBridged(cursor: Cursor): Promise<number> {
  const answer = await post("/fetch", JSON.stringify({ ...cursor, timeout: 5_000 }));
  const last = answer.lastIndexOf('"offset":');
  const next = last < 0 ? cursor.offset : Number.parseInt(answer.toString("latin1", last + 9, last + 25)) + 1;
  const read = next - cursor.offset;
  cursor.offset = next;
  return read;
}

const readAll = (read: (cursor: Cursor, partition: number) => Promise<number>) =>
  Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => {
      const cursor = { topic: "read", partition, offset: 0 };
      for (let left = RECORDS / PARTITIONS; left > 0;) {
        left -= await timed(() => read(cursor, partition));
      }
    }),
  );

/** One of Kafka's own tools; answers its output. */
const tool = (name: string, parameters: string[]) =>
  new Promise<string>((resolve) => {
    const java = spawn("java", ["-Xmx512m", "-cp", cluster.classPath, `org.apache.kafka.tools.${name}`, ...parameters]);
    let output = "";
    java.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    java.once("exit", () => resolve(output));
  });

const microseconds: Record<string, number[]> = {};
const latencies: Record<string, number[]> = {};
/** The rate of a run, and the CPU time a record takes in the process that is measured. */
const measure = async (name: string, pid: number, work: () => Promise<unknown>) => {
  const before = cpuSeconds(pid);
  requestMs = latencies[name] ??= [];
  const perSecond = await rate(RECORDS, work);
  (microseconds[name] ??= []).push(((cpuSeconds(pid) - before) * 1e6) / RECORDS);
  return perSecond;
};

const results = { produceBare: [], produceBridged: [], fetchBare: [], fetchBridged: [] } as Record<string, number[]>;
await produceBare("read");
const readers = Array.from({ length: PARTITIONS }, consumer);
const readBare = (cursor: Cursor, partition: number) => fetchBare(readers[partition] ?? consumer(), cursor);
// The first round warms both paths up and is not counted.
for (let round = 0; round <= ROUNDS; round++) {
  const measured = {
    produceBare: await measure("produceBare", process.pid, () => produceBare("bare")),
    produceBridged: await measure("produceBridged", bridge.pid ?? 0, produceBridged),
    fetchBare: await measure("fetchBare", process.pid, () => readAll(readBare)),
    fetchBridged: await measure("fetchBridged", bridge.pid ?? 0, () => readAll(fetchBridged)),
  };
  if (round > 0) {
    Object.entries(measured).forEach(([name, value]) => results[name]?.push(value));
  }
}

const waits = { bare: [] as number[], bridged: [] as number[] };
const waiter = consumer();
const bareCursor = { topic: "wake", partition: 0, offset: 0 };
const bridgedCursor = { ...bareCursor };
for (let i = 0; i < WAKES; i++) {
  for (const path of ["bare", "bridged"] as const) {
    // Both read what either made happen, so that each waits at the end.
    const poll = path === "bare" ? fetchBare(waiter, bareCursor) : fetchBridged(bridgedCursor);
    const answered = poll.then(() => performance.now());
    await new Promise((resolve) => setTimeout(resolve, 10));
    const sent = performance.now();
    await producer.send({ messages: [{ topic: "wake", partition: 0, value: Buffer.from("x") }] });
    waits[path].push((await answered) - sent);
    if (path === "bare") {
      bridgedCursor.offset = bareCursor.offset;
    } else {
      bareCursor.offset = bridgedCursor.offset;
    }
  }
}

const to = cluster.brokers.join(",");
const size = ["--num-records", String(RECORDS)];
const producing = ["--topic", "perf", "--record-size", "300", "--throughput", "-1", "--producer-props"];
const perfProduce = await tool("ProducerPerformance", [...size, ...producing, `bootstrap.servers=${to}`, "acks=all"]);
const consuming = ["--bootstrap-server", to, "--topic", "read", "--timeout", "20000"];
const perfConsume = await tool("ConsumerPerformance", [...consuming, ...size]);

const rounded = (value: number) => Math.round(value).toLocaleString("en");
console.log(`records of 300 bytes per second, median of ${ROUNDS} rounds (2 partitions, batches of ${BATCH})`);
for (const [name, values] of Object.entries(results)) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const cpu = median(microseconds[name]?.slice(1) ?? []).toFixed(2);
  const range = `(${rounded(least)} to ${rounded(most)})`;
  const ms = latencies[name] ?? [];
  const latency = `a request ${percentile(ms, 0.5).toFixed(1)} ms, p99 ${percentile(ms, 0.99).toFixed(1)}`;
  console.log(
    `  ${name.padEnd(15)} ${rounded(median(values)).padStart(9)}   ${range}, ${cpu} µs of CPU each; ${latency}`,
  );
}
console.log(`  Kafka's producer tool: ${perfProduce.trim().split("\n").at(-1) ?? ""}`);
console.log(`  Kafka's consumer tool:\n${perfConsume.trim().replaceAll(/^/gm, "    ")}`);
for (const [name, values] of Object.entries(waits)) {
  const [p50, p99] = [percentile(values, 0.5), percentile(values, 0.99)];
  console.log(`wake-up ${name.padEnd(8)} p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
}
/** The two of a round ran one after the other, so that a slow minute of the machine slows both. */
const ratio = (part: string, whole: string) => {
  const ratios = (results[part] ?? []).map((perSecond, round) => perSecond / (results[whole]?.[round] ?? 0));
  return Math.round(median(ratios) * 1000) / 1000;
};
const closing = JSON.stringify({
  bench: "bridge",
  fetchRatio: ratio("fetchBridged", "fetchBare"),
  produceRatio: ratio("produceBridged", "produceBare"),
  wakeP99Ms: Math.round((percentile(waits.bridged, 0.99) - percentile(waits.bare, 0.99)) * 100) / 100,
});
await Promise.all([admin, producer, waiter, ...readers].map((client) => client.close()));
bridge.kill("SIGTERM");
await new Promise((resolve) => bridge.once("exit", resolve));
await cluster.stop();
console.log(closing);
