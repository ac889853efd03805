// Cases of producing, fetching, offsets and topics.
import { describe, expect, test } from "vitest";
import { partitionOf } from "../../src/contract/partitioner.ts";
import type { Bench } from "./conformance-parts.ts";
import type { Message } from "./rest-client.ts";

interface Metadata {
  topic: string;
  partition: number;
  offset: number;
  timestamp: number;
}

export function recordCases(bench: Bench): void {
  const fetchAll = async (topic: string, partition = 0, offset = 0) => {
    const answer = await bench.rest.post("/fetch", { topic, partition, offset, timeout: 300 });
    expect(answer.status).toBe(200);
    return answer.json<Message[]>();
  };

  describe("producing", () => {
    test("the stock client produces one message and gets its metadata", async () => {
      const topic = await bench.topic(3);
      const before = Date.now();
      const metadata = await bench.kafka.producer().produce(topic, { hello: "world" }, { key: "creator-1" });
      expect(metadata).toMatchObject({ topic, partition: partitionOf("creator-1", 3), offset: 0 });
      expect(metadata.timestamp).toBeGreaterThanOrEqual(before);
      const [message] = await fetchAll(topic, metadata.partition);
      expect(message).toEqual({
        topic,
        partition: metadata.partition,
        offset: 0,
        timestamp: metadata.timestamp,
        key: "creator-1",
        value: '{"hello":"world"}',
        headers: [],
      });
    });

    test("the stock client produces many messages of several topics and gets metadata in its order", async () => {
      const [first, second] = [await bench.topic(), await bench.topic()];
      const topics = [first, second, first, first, second];
      const produced = await bench.kafka
        .producer()
        .produceMany(topics.map((topic, i) => ({ topic, value: `value ${i}` })));
      expect(produced.map(({ topic, offset }) => [topic, offset])).toEqual([
        [first, 0],
        [second, 0],
        [first, 1],
        [first, 2],
        [second, 1],
      ]);
      expect((await fetchAll(first)).map(({ value }) => value)).toEqual(["value 0", "value 2", "value 3"]);
    });

    test("partition, timestamp, key and headers are kept as given, repeated header names in their order", async () => {
      const topic = await bench.topic(2);
      const headers = [
        { key: "a", value: "1" },
        { key: "b", value: "✓" },
        { key: "a", value: "2" },
      ];
      const record = { partition: 1, timestamp: 1_700_000_000_123, key: "ключ", value: "значение", headers };
      const answer = await bench.rest.post(`/produce/${topic}`, record);
      expect(answer.json<Metadata[]>()).toEqual([{ topic, partition: 1, offset: 0, timestamp: 1_700_000_000_123 }]);
      expect(await fetchAll(topic, 1)).toEqual([{ topic, offset: 0, ...record }]);
    });

    test("records of one request may be years apart", async () => {
      const topic = await bench.topic();
      const timestamps = [Date.UTC(2026, 10, 25), Date.UTC(1999, 0, 1), Date.UTC(2026, 7, 1), 0];
      const records = timestamps.map((timestamp) => ({ partition: 0, timestamp, value: "x" }));
      const answer = await bench.rest.post(`/produce/${topic}`, records);
      expect(answer.json<Metadata[]>().map(({ timestamp }) => timestamp)).toEqual(timestamps);
      expect((await fetchAll(topic)).map(({ timestamp }) => timestamp)).toEqual(timestamps);
    });

    test("GET /produce/{topic}/{message} takes the message from the path and answers one object", async () => {
      const topic = await bench.topic();
      const answer = await bench.rest.get(`/produce/${topic}/${encodeURIComponent("a/b ü?")}?key=k`);
      expect(answer.json<Metadata>()).toMatchObject({ topic, partition: 0, offset: 0 });
      expect(await fetchAll(topic)).toMatchObject([{ key: "k", value: "a/b ü?" }]);
    });

    test.each(["GET", "POST"])("%s /produce/{topic} and /produce take one message or an array", async (method) => {
      const topic = await bench.topic();
      const one = await bench.rest.send(method, `/produce/${topic}`, { body: { value: "1" } });
      const many = await bench.rest.send(method, `/produce/${topic}`, { body: [{ value: "2" }, { value: "3" }] });
      const mixed = await bench.rest.send(method, "/produce", { body: { topic, value: "4" } });
      const more = await bench.rest.send(method, "/produce", { body: [{ topic, value: "5" }] });
      const offsets = [one, many, mixed, more].map((each) => each.json<Metadata[]>().map(({ offset }) => offset));
      expect(offsets).toEqual([[0], [1, 2], [3], [4]]);
      expect((await fetchAll(topic)).map(({ value }) => value)).toEqual(["1", "2", "3", "4", "5"]);
    });

    test.each(["GET", "POST"])(
      "%s /webhook takes the raw body and turns own HTTP headers into Kafka's",
      async (method) => {
        const topic = await bench.topic();
        const answer = await bench.rest.send(method, `/webhook?topic=${topic}`, {
          body: "raw, not JSON",
          headers: { "Content-Type": "text/plain", "User-Agent": "someone", "X-Delivery": "7" },
        });
        expect(answer.json<Metadata>()).toMatchObject({ topic, offset: 0 });
        expect(await fetchAll(topic)).toMatchObject([
          { value: "raw, not JSON", headers: [{ key: "x-delivery", value: "7" }] },
        ]);
      },
    );

    test("/webhook takes credentials in the query where that is switched on, and no other endpoint does", async () => {
      const topic = await bench.topic();
      const query = "user=everything&pass=everything-password";
      const hook = await bench.rest.post(`/webhook?topic=${topic}&${query}`, "x", { login: null });
      expect(hook.status).toBe(200);
      expect((await bench.rest.get(`/topics?${query}`, { login: null })).status).toBe(401);
      expect(
        (await bench.rest.post(`/webhook?topic=${topic}&user=everything&pass=no`, "x", { login: null })).status,
      ).toBe(401);
    });

    test("bytes that are no text arrive whole by base64, in both directions, and a tombstone is null", async () => {
      const topic = await bench.topic();
      const base64 = Buffer.from([0xff, 0x00, 0xfe]).toString("base64");
      const headers = { "Kafka-Value-Encoding": "base64" };
      await bench.rest.post(`/produce/${topic}`, [{ value: base64 }, { value: null }, { value: "" }], { headers });
      const encoded = await bench.rest.post("/fetch", { topic, partition: 0, offset: 0 }, { headers });
      expect(encoded.json<Message[]>().map(({ value }) => value)).toEqual([base64, null, ""]);
      const plain = await fetchAll(topic);
      expect(plain.map(({ valueBase64 }) => valueBase64)).toEqual([base64, null, undefined]);
      expect(plain[1]?.value).toBe("");
      expect((await bench.rest.post(`/produce/${topic}`, { value: "not base64!" }, { headers })).status).toBe(400);
      expect((await bench.rest.get("/fetch", { headers: { "Kafka-Value-Encoding": "rot13" } })).status).toBe(400);
    });

    test("awkward text survives: quotes, line ends, zero bytes, astral and lone surrogates", async () => {
      const topic = await bench.topic();
      const values = ['"\\', "line\nend\r\n", "\u0000\u001f", "💥 ௵", "\u2028"];
      await bench.kafka.producer().produceMany(values.map((value) => ({ topic, value, key: value })));
      const found = await fetchAll(topic);
      expect(found.map(({ value }) => value)).toEqual(values);
      expect(found.map(({ key }) => key)).toEqual(values);
      await bench.rest.post(`/produce/${topic}`, '{"value":"\\ud800x"}');
      expect((await fetchAll(topic, 0, values.length))[0]?.value).toBe("\ufffdx");
    });

    test("a request larger than one of Kafka's batches keeps its order", async () => {
      const topic = await bench.topic();
      const values = Array.from({ length: 5 }, (_, i) => `${i}${"x".repeat(450_000)}`);
      const produced = await bench.kafka.producer().produceMany(values.map((value) => ({ topic, value })));
      expect(produced.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
      expect((await fetchAll(topic, 0, 4))[0]?.value).toBe(values[4]);
    });
  });

  describe("fetching", () => {
    test("the stock client fetches one partition, and several at once", async () => {
      const topic = await bench.topic(2);
      await bench.kafka
        .producer()
        .produceMany([0, 1].map((partition) => ({ topic, partition, value: `p${partition}` })));
      const consumer = bench.kafka.consumer();
      expect(await consumer.fetch({ topic, partition: 1, offset: 0, timeout: 500 })).toMatchObject([{ value: "p1" }]);
      const positions = [0, 1].map((partition) => ({ topic, partition, offset: 0 }));
      const parallel = await consumer.fetch({ topicPartitionOffsets: positions, timeout: 500 });
      expect(parallel.map(({ value }) => value)).toEqual(["p0", "p1"]);
      const together = await consumer.fetch({ topicPartitionOffsets: positions, timeout: 500 }, { parallel: false });
      expect(together.map(({ value }) => value).toSorted((a, b) => a.localeCompare(b))).toEqual(["p0", "p1"]);
    });

    test("GET /fetch with a body answers as POST does", async () => {
      const topic = await bench.topic();
      await bench.kafka.producer().produce(topic, "x");
      const answer = await bench.rest.get("/fetch", { body: { topic, partition: 0, offset: 0 } });
      expect(answer.json<Message[]>()).toMatchObject([{ value: "x" }]);
    });

    test("a fetch of an empty partition answers [] at its timeout, and at once with timeout 0", async () => {
      const topic = await bench.topic();
      const slow = await bench.rest.post("/fetch", { topic, partition: 0, offset: 0, timeout: 800 });
      expect(slow.text).toBe("[]");
      expect(slow.ms).toBeGreaterThan(500);
      expect(slow.ms).toBeLessThan(1_500);
      const quick = await bench.rest.post("/fetch", { topic, partition: 0, offset: 0, timeout: 0 });
      expect(quick.text).toBe("[]");
      expect(quick.ms).toBeLessThan(500);
    });

    test("a waiting fetch answers as soon as one record exists", async () => {
      const topic = await bench.topic(2);
      const positions = [0, 1].map((partition) => ({ topic, partition, offset: 0 }));
      const waiting = bench.rest.post("/fetch", { topicPartitionOffsets: positions, timeout: 3_000 });
      await bench.kafka.producer().produce(topic, "here", { partition: 1 });
      const answer = await waiting;
      expect(answer.json<Message[]>()).toMatchObject([{ value: "here", partition: 1 }]);
      expect(answer.ms).toBeLessThan(2_000);
    });

    test("a timeout above the bridge's bound is cut to it", async () => {
      const topic = await bench.topic();
      const answer = await bench.rest.post("/fetch", { topic, partition: 0, offset: 0, timeout: 600_000 });
      expect(answer.text).toBe("[]");
      expect(answer.ms).toBeLessThan(4_500);
    });

    test("an answer stays within records and bytes, and going on from its end gives every record once", async () => {
      const topic = await bench.topic();
      const value = "x".repeat(1_000);
      for (let batch = 0; batch < 2; batch++) {
        await bench.rest.post(
          `/produce/${topic}`,
          Array.from({ length: 600 }, (_, i) => ({ value: `${batch * 600 + i} ${value}` })),
        );
      }
      const offsets: number[] = [];
      while (offsets.length < 1_200) {
        const found = await fetchAll(topic, 0, offsets.length);
        expect(found.length).toBeGreaterThan(0);
        expect(found.length).toBeLessThanOrEqual(500);
        expect(Buffer.byteLength(JSON.stringify(found))).toBeLessThan(420_000);
        offsets.push(...found.map(({ offset }) => offset));
      }
      expect(offsets).toEqual(Array.from({ length: 1_200 }, (_, i) => i));
    });

    test("the end of the partition comes in a header to those who ask", async () => {
      const topic = await bench.topic();
      await bench.kafka.producer().produceMany([1, 2, 3].map((each) => ({ topic, value: String(each) })));
      const position = { topic, partition: 0, offset: 1 };
      const asked = await bench.rest.post("/fetch", position, { headers: { "Kafka-High-Watermark": "true" } });
      expect(asked.headers["kafka-high-watermark"]).toBe("3");
      expect((await bench.rest.post("/fetch", position)).headers["kafka-high-watermark"]).toBeUndefined();
    });

    test("a poll whose client has gone before it began to wait does not wait", async () => {
      const topic = await bench.topic();
      const bounds = { timeoutMs: 5_000, maxRecords: 1, maxBytes: 1_024, encoding: "utf8" } as const;
      const started = performance.now();
      const poll = { ...bounds, signal: AbortSignal.abort() };
      const fetched = await bench.under.log.fetch([{ topic, partition: 0, offset: 0 }], poll);
      expect(fetched.map(({ count }) => count)).toEqual([0]);
      expect(performance.now() - started).toBeLessThan(4_000);
    });

    test("a client that goes away ends its poll", async () => {
      const topic = await bench.topic();
      const gone = new AbortController();
      const waiting = bench.rest.post(
        "/fetch",
        { topic, partition: 0, offset: 0, timeout: 25_000 },
        { signal: gone.signal },
      );
      const ended = waiting.then(
        () => "answered",
        (error: unknown) => String(error),
      );
      await bench.rest.get("/topics");
      gone.abort();
      expect(await ended).toContain("abort");
      const metrics = async () => (await bench.rest.get("/metrics")).text;
      await expect.poll(metrics, { timeout: 15_000 }).toContain("bridge_polls_in_flight 0");
    });
  });

  describe("offsets and topics", () => {
    test("the stock client finds offsets by place and by time", async () => {
      const topic = await bench.topic(2);
      const timestamps = [1_700_000_000_000, 1_700_000_010_000, 1_700_000_020_000];
      await bench.kafka
        .producer()
        .produceMany(timestamps.map((timestamp) => ({ topic, partition: 0, timestamp, value: "x" })));
      const admin = bench.kafka.admin();
      const topicPartitions = [0, 1].map((partition) => ({ topic, partition }));
      const at = async (timestamp: number | "earliest" | "latest") =>
        (await admin.topicPartitionOffsets({ timestamp, topicPartitions })).map(({ offset }) => offset);
      expect(await at("earliest")).toEqual([0, 0]);
      expect(await at("latest")).toEqual([3, 0]);
      expect(await at(1_700_000_000_001)).toEqual([1, 0]);
      expect(await at(1_700_000_010_000)).toEqual([1, 0]);
      // Nothing as late as that: an offset to read on from.
      expect(await at(1_800_000_000_000)).toEqual([3, 0]);
    });

    test("GET /offsets with a body takes one partition, and no body is no partition", async () => {
      const topic = await bench.topic();
      const one = await bench.rest.get("/offsets/latest?timeout=2000", { body: { topic, partition: 0 } });
      expect(one.json<unknown>()).toEqual([{ topic, partition: 0, offset: 0 }]);
      expect((await bench.rest.post("/offsets/latest")).text).toBe("[]");
    });

    test("topics are listed with their partitions, and with ids and ends on request", async () => {
      const topic = await bench.topic(2);
      await bench.kafka.producer().produce(topic, "x", { partition: 1 });
      expect(await bench.kafka.admin().topics()).toMatchObject({ [topic]: 2 });
      const detail = (await bench.rest.get("/topics?detail=true")).json<Record<string, unknown>>();
      expect(detail[topic]).toEqual({
        topicId: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
        partitions: [
          { partition: 0, earliest: 0, latest: 0 },
          { partition: 1, earliest: 0, latest: 1 },
        ],
      });
    });

    test("below /expect/{topicId} the stock client works on that very topic, and gets a conflict once it is another", async () => {
      const topic = await bench.topic();
      const idOf = async () =>
        (await bench.rest.get("/topics?detail=true")).json<Record<string, { topicId: string }>>()[topic]?.topicId;
      const id = await idOf();
      const base = `/expect/${id}`;
      expect((await bench.rest.post(`${base}/produce/${topic}`, { value: "x" })).status).toBe(200);
      const position = { topic, partition: 0, offset: 0, timeout: 200 };
      expect((await bench.rest.post(`${base}/fetch`, position)).json<Message[]>()).toMatchObject([{ value: "x" }]);
      expect((await bench.rest.post(`${base}/offsets/latest`, { topic, partition: 0 })).status).toBe(200);
      const waiting = bench.rest.post(`${base}/fetch`, { ...position, offset: 1, timeout: 3_000 });
      await bench.under.deleteTopic(topic);
      expect((await waiting).status).toBe(409);
      const gone = await bench.rest.post(`${base}/fetch`, position);
      expect(gone.status).toBe(409);
      expect(gone.json()).toMatchObject({ result: "Error", status: 409 });
      await bench.under.createTopic(topic, 1);
      expect((await bench.rest.post(`${base}/fetch`, position)).status).toBe(409);
      expect((await bench.rest.post(`${base}/produce/${topic}`, { value: "x" })).status).toBe(409);
      expect((await bench.rest.post(`${base}/offsets/latest`, { topic, partition: 0 })).status).toBe(409);
      expect(await idOf()).not.toBe(id);
      expect((await bench.rest.post(`/produce/${topic}`, { value: "new" })).json<Metadata[]>()).toMatchObject([
        { offset: 0 },
      ]);
    });
  });
}
