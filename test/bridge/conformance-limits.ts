// Cases of what is refused: bad input, credentials, permissions, sizes. Always JSON, always at once.
import { describe, expect, test } from "vitest";
import { testLimits } from "./conformance-parts.ts";
import type { Bench } from "./conformance-parts.ts";
import type { RestAnswer } from "./rest-client.ts";

/** The stock client tries everything six times: a refusal that is slow once is slow for a minute. */
const AT_ONCE_MS = 500;

/** What every refusal has in common. */
function refusal(answer: RestAnswer) {
  const isJson = String(answer.headers["content-type"]).includes("application/json");
  return { status: answer.status, body: answer.json(), isJson, isAtOnce: answer.ms < AT_ONCE_MS };
}

function refused(status: number) {
  const body = { result: "Error", status, error: expect.any(String) as string };
  return { status, body, isJson: true, isAtOnce: true };
}

export function limitCases(bench: Bench): void {
  describe("refusals", () => {
    test.each([
      ["malformed JSON", "/produce", "{"],
      ["JSON of another shape", "/produce", 7],
      ["no message", "/produce", []],
      ["a message without a topic", "/produce", { value: "x" }],
      ["a value that is no text", "/produce/conf-any", { value: 7 }],
      ["a negative partition", "/produce/conf-any", { value: "x", partition: -1 }],
      ["a timestamp that is no number", "/produce/conf-any", { value: "x", timestamp: "now" }],
      ["headers that are no list", "/produce/conf-any", { value: "x", headers: { a: "b" } }],
      ["a fetch without a topic", "/fetch", {}],
      ["a fetch with a negative offset", "/fetch", { topic: "conf-any", partition: 0, offset: -1 }],
      ["a timeout that is no number", "/fetch", { topic: "conf-any", partition: 0, offset: 0, timeout: "soon" }],
      ["offsets at nowhere", "/offsets/yesterday", { topic: "conf-any", partition: 0 }],
      ["a consume without a topic", "/consume/g/i", {}],
      ["a group name with a space", "/consume/a%20b/i", { topic: "conf-any" }],
      ["a commit without an offset", "/commit/g/i", { topic: "conf-any", partition: 0 }],
      ["bytes that are not UTF-8", "/produce", Buffer.from([0x22, 0xff, 0x22])],
      ["a webhook without a topic", "/webhook", "x"],
      ["a topic in the path that cannot be one", "/produce/*", { value: "x" }],
      ["a topic in the query that cannot be one", "/webhook?topic=*", "x"],
      ["a path that is not percent-encoded", "/produce/%zz", { value: "x" }],
      ["a path of bytes that are not UTF-8", "/produce/conf-%FF", { value: "x" }],
      [
        "more positions than one fetch may have",
        "/fetch",
        {
          topicPartitionOffsets: Array.from({ length: 1_001 }, () => ({ topic: "conf-any", partition: 0, offset: 0 })),
        },
      ],
    ])("%s is a 400", async (_what, path, body) => {
      expect(refusal(await bench.rest.post(path, body))).toEqual(refused(400));
    });

    test.each([
      "Kafka-Enable-Auto-Commit",
      "Kafka-Auto-Commit-Interval",
      "Kafka-Auto-Offset-Reset",
      "Kafka-Session-Timeout-Ms",
    ])("a value of %s that the contract does not know is a 400", async (header) => {
      const topic = await bench.topic();
      expect(refusal(await bench.rest.post("/consume/g/i", { topic }, { headers: { [header]: "perhaps" } }))).toEqual(
        refused(400),
      );
    });

    test("an unknown topic is a 404 on every endpoint", async () => {
      const topic = "conf-there-is-no-such-topic";
      const at = { topic, partition: 0, offset: 0 };
      for (const [path, body] of [
        [`/produce/${topic}`, { value: "x" }],
        ["/produce", { topic, value: "x" }],
        [`/webhook?topic=${topic}`, "x"],
        ["/fetch", at],
        ["/offsets/latest", at],
        ["/commit/g/i", at],
        ["/committed/g/i", at],
        ["/consume/g/i", { topic }],
      ] as const) {
        expect(refusal(await bench.rest.post(path, body))).toEqual(refused(404));
      }
      expect(refusal(await bench.rest.get(`/produce/${topic}/x`))).toEqual(refused(404));
    });

    test("an unknown partition is a 404 on every endpoint", async () => {
      const topic = await bench.topic();
      const at = { topic, partition: 7, offset: 0 };
      for (const [path, body] of [
        [`/produce/${topic}`, { value: "x", partition: 7 }],
        ["/fetch", at],
        ["/offsets/latest", at],
        ["/commit/g/i", at],
        ["/committed/g/i", at],
      ] as const) {
        expect(refusal(await bench.rest.post(path, body))).toEqual(refused(404));
      }
    });

    test("an offset past the end is out of range, at once even where the fetch would wait", async () => {
      const topic = await bench.topic();
      await bench.kafka.producer().produce(topic, "x");
      expect(refusal(await bench.rest.post("/fetch", { topic, partition: 0, offset: 2, timeout: 3_000 }))).toEqual(
        refused(416),
      );
    });

    test("a message larger than allowed is a 413, and so is a body", async () => {
      const topic = await bench.topic();
      const value = "x".repeat(testLimits.maxMessageBytes + 1);
      expect(refusal(await bench.rest.post(`/produce/${topic}`, { value }))).toEqual(refused(413));
      const body = JSON.stringify({ value: "x".repeat(testLimits.maxBodyBytes) });
      expect(refusal(await bench.rest.post(`/produce/${topic}`, body))).toEqual(refused(413));
      const fits = await bench.rest.post(`/produce/${topic}`, { value: "x".repeat(testLimits.maxMessageBytes - 10) });
      expect(fits.status).toBe(200);
      // Three bytes for each unit of text.
      const most = Math.floor(testLimits.maxMessageBytes / 3);
      const euros = await bench.rest.post(`/produce/${topic}`, { value: "€".repeat(most) });
      expect(euros.status).toBe(200);
      const more = await bench.rest.post(`/produce/${topic}`, { value: "€".repeat(most + 1) });
      expect(refusal(more)).toEqual(refused(413));
    });

    test("missing, malformed and wrong credentials are a 401 that says how to log in", async () => {
      for (const login of [null, "everything:wrong-password", "nobody:everything-password", "everything", ""]) {
        const answer = await bench.rest.get("/topics", { login });
        expect(refusal(answer)).toEqual(refused(401));
        expect(answer.headers["www-authenticate"]).toMatch(/^Basic /);
      }
      const bearer = await bench.rest.get("/topics", { login: null, headers: { authorization: "Bearer x" } });
      expect(refusal(bearer)).toEqual(refused(401));
      expect(refusal(await bench.rest.get("/no-such-path", { login: null }))).toEqual(refused(401));
    });

    test("a credential may use only its verbs and its topics", async () => {
      const topic = await bench.topic();
      await bench.kafka.producer().produce(topic, "x");
      const at = { topic, partition: 0, offset: 0 };
      const login = "reader:reader-password";
      expect((await bench.rest.post("/fetch", at, { login })).status).toBe(200);
      for (const [path, body] of [
        [`/produce/${topic}`, { value: "x" }],
        [`/webhook?topic=${topic}`, "x"],
        ["/consume/g/i", { topic }],
        ["/commit/g/i", at],
        ["/committed/g/i", at],
        ["/offsets/latest", at],
        ["/delete-consumer/g/i", undefined],
        ["/fetch", { ...at, topic: "other" }],
        ["/fetch", { topicPartitionOffsets: [at, { ...at, topic: "other" }] }],
      ] as const) {
        expect(refusal(await bench.rest.post(path, body, { login }))).toEqual(refused(403));
      }
      for (const path of ["/topics", "/consumers", "/metrics"]) {
        expect(refusal(await bench.rest.get(path, { login }))).toEqual(refused(403));
      }
    });

    test("topics that a credential may not use are not listed to it", async () => {
      await bench.topic();
      const login = "narrow:narrow-password";
      expect((await bench.rest.get("/topics", { login })).json<object>()).toEqual({});
      expect((await bench.rest.get("/topics?detail=true", { login })).json<object>()).toEqual({});
    });

    test("an unknown path is a 404 and a wrong method a 405", async () => {
      expect(refusal(await bench.rest.get("/no/such/path"))).toEqual(refused(404));
      expect(refusal(await bench.rest.send("PUT", "/produce", { body: "{}" }))).toEqual(refused(405));
      expect(refusal(await bench.rest.send("DELETE", "/fetch"))).toEqual(refused(405));
      const topics = await bench.rest.post("/topics");
      expect(refusal(topics)).toEqual(refused(405));
      expect(topics.headers["allow"]).toBe("GET");
    });

    test("HEAD neither produces nor consumes", async () => {
      const topic = await bench.topic();
      for (const path of [`/produce/${topic}/x`, `/consume/g/i/${topic}`]) {
        const answer = await bench.rest.send("HEAD", path);
        expect([answer.status, answer.headers["allow"]]).toEqual([405, "GET"]);
      }
      const latest = await bench.rest.post("/offsets/latest", { topic, partition: 0 });
      expect(latest.json<{ offset: number }[]>()[0]?.offset).toBe(0);
    });

    test("a timeout that is null is the default", async () => {
      const topic = await bench.topic();
      const answer = await bench.rest.post("/fetch", { topic, partition: 0, offset: 0, timeout: null });
      expect([answer.status, answer.text, answer.ms > 800]).toEqual([200, "[]", true]);
    });
  });

  describe("operations", () => {
    test("health and readiness need no credentials", async () => {
      expect((await bench.rest.get("/healthz", { login: null })).json<object>()).toEqual({ status: "ok" });
      const ready = await bench.rest.get("/readyz", { login: null });
      expect([ready.status, ready.json<object>()]).toEqual([200, { status: "ok", log: "ok" }]);
    });

    test("metrics count requests, records and the lag of what is read", async () => {
      const topic = await bench.topic();
      await bench.kafka.producer().produceMany([1, 2, 3].map((each) => ({ topic, value: String(each) })));
      const first = { topic, partition: 0, offset: 0, timeout: 0 };
      await bench.rest.post("/fetch", first);
      await bench.kafka.producer().produceMany([4, 5].map((each) => ({ topic, value: String(each) })));
      const { text, headers } = await bench.rest.get("/metrics");
      expect(headers["content-type"]).toContain("text/plain");
      expect(text).toContain(`bridge_records_total{topic="${topic}",direction="in"} 5`);
      expect(text).toContain(`bridge_records_total{topic="${topic}",direction="out"} 3`);
      expect(text).toContain(`bridge_read_lag_records{topic="${topic}",partition="0"} 2`);
      expect(text).toMatch(/bridge_requests_total\{endpoint="fetch",status="200"\} \d+/);
      expect(text).toMatch(/bridge_request_seconds_bucket\{le="0.001",endpoint="fetch"\} \d+/);
    });
  });
}
