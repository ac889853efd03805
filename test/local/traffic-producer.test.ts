import { createServer, type Server } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultTopics } from "../../src/contract/events.ts";
import type { TrafficEvent } from "../../src/local/traffic/playback.ts";
import { produce, ProduceRefused, type ProducerOptions } from "../../src/local/traffic/producer.ts";
import { KeptSubscriberCounts } from "../../src/local/traffic/subscriber-counts.ts";
import { createLog } from "../../src/runtime/log.ts";

const events: TrafficEvent[] = Array.from({ length: 2500 }, (_, i) => ({
  kind: i % 7 === 0 ? "subscription" : "engagement",
  key: `crt_${i % 3}`,
  at: i,
  value: { eventId: `e${i}` },
}));

/** A bridge that answers each request as told, in turn, and then takes everything. */
class ScriptedBridge {
  readonly bodies: string[] = [];
  readonly #script: ("take" | "lose" | "fail" | "refuse")[];
  readonly #server: Server;

  constructor(...script: ("take" | "lose" | "fail" | "refuse")[]) {
    this.#script = script;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        this.bodies.push(body);
        const records: { topic: string }[] = JSON.parse(body);
        const answer = this.#script.shift() ?? "take";
        if (answer === "lose") {
          request.socket.destroy();
          return;
        }
        const status = { take: 200, fail: 503, refuse: 401 }[answer];
        response.writeHead(status, { "content-type": "application/json" });
        response.end(
          JSON.stringify(
            answer === "take"
              ? records.map(({ topic }, offset) => ({ topic, partition: 0, offset, timestamp: 1 }))
              : { error: answer, status },
          ),
        );
      });
    });
  }

  listen(): Promise<string> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        resolve(`http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`);
      });
    });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

let bridge: ScriptedBridge | undefined;
afterEach(() => bridge?.close());

async function producerFor(scripted: ScriptedBridge): Promise<ProducerOptions> {
  bridge = scripted;
  return {
    url: await scripted.listen(),
    username: "u",
    password: "p",
    topics: defaultTopics,
    log: createLog({}, () => undefined),
    pause: () => Promise.resolve(),
  };
}

const eventIds = (bodies: readonly string[]) =>
  bodies.flatMap((body) => (JSON.parse(body) as { value: string }[]).map((record) => JSON.parse(record.value).eventId));

describe("producing through the bridge", () => {
  it("sends every event once, in order, to the topic of its kind and keyed by its creator", async () => {
    const scripted = new ScriptedBridge();
    const acknowledged = await produce(await producerFor(scripted), events, new AbortController().signal);
    expect(acknowledged).toBe(2500);
    expect(eventIds(scripted.bodies)).toEqual(events.map((event) => event.value["eventId"]));
    expect(JSON.parse(scripted.bodies[0] ?? "[]").slice(0, 2)).toEqual([
      { topic: "engagement.subscription.changed", key: "crt_0", value: '{"eventId":"e0"}' },
      { topic: "user.engagement.events", key: "crt_1", value: '{"eventId":"e1"}' },
    ]);
  });

  it("sends a batch again with the same bytes when the answer was lost or the bridge was down", async () => {
    const scripted = new ScriptedBridge("take", "lose", "fail", "fail", "take");
    const acknowledged = await produce(await producerFor(scripted), events, new AbortController().signal);
    expect(acknowledged).toBe(2500);
    const [first, second, ...rest] = scripted.bodies;
    expect(rest).toHaveLength(4);
    expect(rest.slice(0, 3)).toEqual([second, second, second]);
    expect(new Set(eventIds([first ?? "[]", second ?? "[]", rest[3] ?? "[]"])).size).toBe(2500);
  });

  it("says why when the bridge refuses for good", async () => {
    const options = await producerFor(new ScriptedBridge("refuse"));
    await expect(produce(options, events, new AbortController().signal)).rejects.toThrow(ProduceRefused);
  });

  it("stops trying when it is told to", async () => {
    const controller = new AbortController();
    const options = await producerFor(new ScriptedBridge("fail", "fail"));
    const pause = () => {
      controller.abort();
      return Promise.resolve();
    };
    expect(await produce({ ...options, pause }, events, controller.signal)).toBe(0);
  });
});

describe("the kept subscriber counts", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "counts-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("go on after a restart where they stood, and are unknown where nobody gave one", () => {
    const file = join(folder, "deeper", "counts.json");
    const counts = new KeptSubscriberCounts(file, [["crt_a", 10]]);
    expect([counts.change("crt_a", 1), counts.change("crt_a", 1), counts.change("crt_b", 1)]).toEqual([11, 12, null]);
    counts.save();
    expect(new KeptSubscriberCounts(file, [["crt_a", 10]]).change("crt_a", -1)).toBe(11);
  });

  it("name the file that does not hold them", () => {
    const file = join(folder, "counts.json");
    writeFileSync(file, '{"crt_a": ');
    expect(() => new KeptSubscriberCounts(file, [])).toThrow(file);
  });
});
