// `npm run bench:live`: from an event's intended send time to the frame on a socket that has counted it, on the whole
// stack: bridge, consumer Worker, hub, socket. First single events, then a steady 1,000 a second. Without generated
// traffic, since one machine carries both the load and the product.
import { randomUUID } from "node:crypto";
import { WebSocket } from "ws";
import { LIVE_PROTOCOL, serverFrameSchema } from "../../src/contract/live-frames.ts";
import { defaultTopics } from "../../src/contract/events.ts";
import { quantile, rounded } from "./quantiles.ts";
import { runningStack } from "./running-stack.ts";
import { tokenFor } from "./token-for.ts";

const SOCKETS = 50;
const SINGLE_EVENTS = 40;
const SINGLE_GAP_MS: readonly [number, number] = [500, 2_000];
const STEADY_PER_SECOND = 1_000;
const STEADY_SECONDS = 20;
/** Events due within one tick travel in one request: at 1,000 a second a request each would measure the client. */
const TICK_MS = 5;
/** After the last event: far more than any latency worth reporting, so what has not arrived by then is lost. */
const SETTLE_MS = 10_000;

const say = (line: string) => process.stderr.write(`${line}\n`);
const now = () => performance.now();

const stack = await runningStack(say);
const creatorId = `bench_${randomUUID().slice(0, 8)}`;
const token = await tokenFor(stack.note, creatorId);
const contentId = `${creatorId}_stream`;

/** Per socket, the instant at which its total first reached each count. */
const reached: Float64Array[] = [];
const frames = new Uint32Array(SOCKETS);
const total = SINGLE_EVENTS + STEADY_PER_SECOND * STEADY_SECONDS;

async function openSocket(index: number): Promise<WebSocket> {
  const url = `${stack.note.apiUrl.replace("http", "ws")}/ws/creator/live-metrics`;
  const socket = new WebSocket(url, [LIVE_PROTOCOL], { headers: { authorization: `Bearer ${token}` } });
  const times = new Float64Array(total + 1);
  reached[index] = times;
  let views = 0;
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", (code) => reject(new Error(`socket ${index} was closed with ${code}`)));
    socket.on("message", (data: Buffer) => {
      const at = now();
      const frame = serverFrameSchema.parse(JSON.parse(data.toString()));
      if (frame.type === "metrics") {
        frames[index] = (frames[index] ?? 0) + 1;
      }
      if (frame.type === "snapshot" && frame.state === "live") {
        resolve();
      }
      if (frame.type === "status" && frame.state === "live") {
        resolve();
      }
      if ((frame.type === "snapshot" || frame.type === "metrics") && frame.totals.views !== null) {
        times.fill(at, views + 1, frame.totals.views + 1);
        views = Math.max(views, frame.totals.views);
      }
    });
  });
  return socket;
}

let sent = 0;
async function send(count: number): Promise<void> {
  const records = Array.from({ length: count }, () => {
    sent += 1;
    return {
      key: creatorId,
      value: JSON.stringify({
        eventId: randomUUID(),
        type: "view.started",
        contentId,
        creatorId,
        sessionId: `s${sent}`,
        occurredAt: new Date().toISOString(),
        isLive: true,
        country: "NG",
        device: "mobile",
      }),
    };
  });
  const { kafkaRestUrl, kafkaRestUsername, kafkaRestPassword } = stack.note;
  const response = await fetch(`${kafkaRestUrl}/produce/${defaultTopics.engagement}`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${kafkaRestUsername}:${kafkaRestPassword}`).toString("base64")}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(records),
  });
  if (!response.ok) {
    throw new Error(`produce answered ${response.status}: ${await response.text()}`);
  }
  await response.arrayBuffer();
}

const sleepUntil = (at: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, at - now())));

/** Waits until every socket has counted `count` events, or the settling time is over. */
async function settle(count: number): Promise<void> {
  const deadline = now() + SETTLE_MS;
  while (now() < deadline && reached.some((times) => times[count] === 0)) {
    await sleepUntil(now() + 20);
  }
}

function latencies(intended: Float64Array, from: number): Float64Array {
  return Float64Array.from(
    reached.flatMap((times) =>
      Array.from(intended, (at, k) => (times[from + k + 1] ?? 0) - at).filter((latency) => latency > -1_000),
    ),
  );
}

const sockets = await Promise.all(Array.from({ length: SOCKETS }, (_, index) => openSocket(index)));
say(`${SOCKETS} sockets are live for ${creatorId}. Single events …`);

const single = new Float64Array(SINGLE_EVENTS);
for (let k = 0; k < SINGLE_EVENTS; k++) {
  const [least, most] = SINGLE_GAP_MS;
  // Evenly spread gaps with a stride that no tick divides: no phase of the coalescing timer is favoured.
  await sleepUntil(now() + least + ((k * 377) % (most - least)));
  single[k] = now();
  await send(1);
}
await settle(SINGLE_EVENTS);

say(`${STEADY_PER_SECOND} events a second for ${STEADY_SECONDS} s …`);
frames.fill(0);
const steadyCount = STEADY_PER_SECOND * STEADY_SECONDS;
const start = now() + 100;
const steady = Float64Array.from({ length: steadyCount }, (_, k) => start + (k * 1_000) / STEADY_PER_SECOND);
const requests: Promise<void>[] = [];
for (let next = 0; next < steadyCount;) {
  await sleepUntil(start + (requests.length + 1) * TICK_MS);
  const due = Math.min(steadyCount, Math.floor(((now() - start) * STEADY_PER_SECOND) / 1_000)) - next;
  requests.push(due > 0 ? send(due) : Promise.resolve());
  next += Math.max(0, due);
}
await Promise.all(requests);
await settle(total);

const lost = reached.reduce((sum, times) => sum + times.subarray(1).filter((at) => at === 0).length, 0);
const singles = latencies(single, 0);
const steadies = latencies(steady, SINGLE_EVENTS);
const framesPerSecond = frames.reduce((sum, count) => sum + count, 0) / SOCKETS / STEADY_SECONDS;
for (const socket of sockets) {
  socket.removeAllListeners("close");
  socket.terminate();
}
await stack.stop();

const result = {
  bench: "live",
  singleP50Ms: rounded(quantile(singles, 0.5)),
  singleP99Ms: rounded(quantile(singles, 0.99)),
  p50Ms: rounded(quantile(steadies, 0.5)),
  p99Ms: rounded(quantile(steadies, 0.99)),
  framesPerSecond: rounded(framesPerSecond),
  lost,
};
say(`single events: p50 ${result.singleP50Ms} ms, p99 ${result.singleP99Ms} ms (aim 60 and 150)`);
say(
  `steady: p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms (aim 170 and 330), ${result.framesPerSecond} frames/s (at most 5)`,
);
process.stdout.write(`${JSON.stringify(result)}\n`);
