// One run of each contender of the ingest benchmark. All are timed from outside and alike: from the start of reading to
// the final totals on an open socket; the bare loop, which has none, over its loop.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { z } from "zod";
import { defaultTopics } from "../../src/contract/events.ts";
import { LIVE_PROTOCOL, serverFrameSchema } from "../../src/contract/live-frames.ts";
import { INGEST_RECORDS, type IngestTotals, isFinal, WATCHED } from "./ingest-events.ts";
import type { IngestLog } from "./ingest-log.ts";
import { cpuSeconds } from "./process-cpu.ts";
import { ADMIN_TOKEN, API, CONSUMER, startProductWorkers } from "./product-workers.ts";

/** Ten times what a run should take; one that lasts so long has failed. */
const RUN_LIMIT_MS = 120_000;
const STATUS_INTERVAL_MS = 20;

/** What a run took. */
export interface Run {
  readonly seconds: number;
  /** Of the process, or processes, that count; without the bridge. */
  readonly cpuSeconds: number;
  readonly exact: boolean;
}

/** A run of the product, with what it told of itself. */
export interface ProductRun extends Run {
  readonly bridgeCpuSeconds: number;
  /** Calls of all readers to hubs, and how many hubs there are. */
  readonly hubCalls: number;
  readonly hubs: number;
  readonly bridgeCalls: number;
}

const totalsSchema = z.object({ views: z.number(), likes: z.number(), watchSeconds: z.number() });
const bareResultSchema = z.object({ seconds: z.number(), cpuSeconds: z.number(), totals: totalsSchema });

/** The bare loop, in a fresh process. */
export async function runBareLoop(final: IngestTotals): Promise<Run> {
  const child = startPeer("bare-loop.ts", {});
  const { totals, ...took } = bareResultSchema.parse(JSON.parse(await firstLine(child)));
  return { ...took, exact: isFinal(totals, final) };
}

/** The plain server, in a fresh process. */
export async function runPlainServer(log: IngestLog, final: IngestTotals): Promise<Run> {
  const child = startPeer("plain-server.ts", {
    KAFKA_REST_URL: log.url,
    KAFKA_REST_USERNAME: log.username,
    KAFKA_REST_PASSWORD: log.password,
    TOPIC: defaultTopics.engagement,
  });
  const { port } = z.object({ port: z.number() }).parse(JSON.parse(await firstLine(child)));
  const cpuBefore = cpuSeconds(child.pid ?? 0);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?creator=${WATCHED}`);
  await once(socket, "open");
  const started = performance.now();
  await shown(socket, (frame) => isFinal(totalsSchema.parse(frame), final));
  const seconds = (performance.now() - started) / 1_000;
  const cpu = cpuSeconds(child.pid ?? 0) - cpuBefore;
  socket.terminate();
  child.kill();
  await once(child, "exit");
  return { seconds, cpuSeconds: cpu, exact: true };
}

const statusSchema = z.object({
  readers: z.array(
    z.object({
      source: z.string(),
      status: z.object({
        offset: z.number().nullable(),
        calls: z.object({ bridge: z.number(), hubs: z.number(), watchList: z.number() }),
        fold: z.object({ records: z.number(), duplicates: z.number(), rejected: z.number() }).nullable(),
      }),
    }),
  ),
});

/** The product: both Workers anew, a socket open on the watched creator before the readers are started. */
export async function runProduct(log: IngestLog, final: IngestTotals): Promise<ProductRun> {
  const product = await startProductWorkers({ log });
  try {
    const consumer = product.harness.getWorker(CONSUMER);
    const socket = new WebSocket(`${product.apiUrl.replace("http", "ws")}/ws/creator/live-metrics`, [LIVE_PROTOCOL], {
      headers: { authorization: `Bearer ${await product.token(WATCHED)}` },
    });
    await once(socket, "message");
    const workerdCpu = () => product.workerd.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
    const [cpuBefore, bridgeBefore] = [workerdCpu(), cpuSeconds(log.pid)];
    const started = performance.now();
    const finalShown = shown(socket, (frame) => {
      const parsed = serverFrameSchema.parse(frame);
      return (parsed.type === "snapshot" || parsed.type === "metrics") && isFinal(parsed.totals, final);
    });
    await consumer.scheduled({ cron: "* * * * *" });
    await finalShown;
    const status = async () => {
      const response = await consumer.fetch("/admin/status", { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
      return statusSchema.parse(await response.json()).readers;
    };
    let readers = await status();
    const offset = () => readers.find(({ source }) => source === `${defaultTopics.engagement}:0`)?.status.offset;
    while (offset() !== INGEST_RECORDS && performance.now() - started < RUN_LIMIT_MS) {
      await sleep(STATUS_INTERVAL_MS);
      readers = await status();
    }
    const seconds = (performance.now() - started) / 1_000;
    const [cpu, bridgeCpu] = [workerdCpu() - cpuBefore, cpuSeconds(log.pid) - bridgeBefore];
    socket.terminate();
    return {
      seconds,
      cpuSeconds: cpu,
      bridgeCpuSeconds: bridgeCpu,
      exact: offset() === INGEST_RECORDS,
      hubCalls: readers.reduce((sum, { status: { calls } }) => sum + calls.hubs, 0),
      bridgeCalls: readers.reduce((sum, { status: { calls } }) => sum + calls.bridge, 0),
      hubs: (await product.harness.getWorker(API).listDurableObjectIds("CreatorHub")).length,
    };
  } finally {
    await product.stop();
  }
}

function startPeer(script: string, env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [`${import.meta.dirname}/peers/${script}`], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function firstLine(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (stdout === null) {
    throw new Error("the peer has no output");
  }
  return new Promise((resolve, reject) => {
    createInterface({ input: stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the peer ended with ${code} before it said anything`)));
  });
}

/** Resolves when a frame satisfies the condition. Rejects with the last frame when none does in time. */
function shown(socket: WebSocket, condition: (frame: unknown) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let last = "no frame";
    const timer = setTimeout(
      () => reject(new Error(`the final totals were never shown; the last frame: ${last}`)),
      RUN_LIMIT_MS,
    );
    socket.on("message", (data: Buffer) => {
      last = data.toString();
      if (condition(JSON.parse(last))) {
        clearTimeout(timer);
        resolve();
      }
    });
    socket.once("close", (code) => reject(new Error(`the socket was closed with ${code}`)));
  });
}
