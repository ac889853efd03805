// How much memory a Worker holds while nobody kills it. What must stay flat is the Worker's own isolate: its heap and
// the buffers behind its arrays, asked of the runtime's inspector after a collection of garbage. In `wrangler dev` the
// process holds a dozen isolates of the tool itself beside it (its registry's proxy alone grew by 5 MiB a minute while
// the Worker's own did not), so the process's resident memory, from Linux's /proc, is only shown, and judges nobody.
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { WebSocket } from "ws";
import { z } from "zod";

const RUNTIME = "workerd";
/** Often enough for a median, seldom enough that collecting garbage costs nothing that matters. */
export const SAMPLE_INTERVAL_MS = 5_000;
/** Readers remember event ids for ten minutes: until then their memory rightly grows. */
const WARM_UP_SAMPLES = 600_000 / SAMPLE_INTERVAL_MS;
/** Of a life too short for that, this part. */
const WARM_UP_PART = 0.5;
const INSPECTOR_DEADLINE_MS = 5_000;

const targetsSchema = z.array(z.object({ id: z.string(), webSocketDebuggerUrl: z.url() }));
const answerSchema = z.object({ id: z.number(), result: z.unknown() });
const usageSchema = z.object({ usedSize: z.number(), backingStorageSize: z.number() });

/** True where memory can be measured. */
export const canMeasureMemory = existsSync("/proc/self/status");

/** Bytes: of the Worker's isolate, and of the processes that run it. */
export interface MemorySample {
  readonly isolate: number;
  readonly resident: number;
}

/** Looks at one Worker's memory. */
export class MemoryGauge {
  readonly #target: string;
  #known: { readonly groupId: number; readonly debuggerUrl: string } | undefined;

  /** @param worker its name, as its configuration gives it */
  constructor(worker: string) {
    this.#target = `core:user:${worker}`;
  }

  /** @returns undefined when the processes of the group do not answer just now */
  async sample(groupId: number): Promise<MemorySample | undefined> {
    const processes = runtimeProcesses(groupId);
    if (this.#known?.groupId !== groupId) {
      const debuggerUrl = await this.#find(processes);
      this.#known = debuggerUrl === undefined ? undefined : { groupId, debuggerUrl };
    }
    const isolate = this.#known === undefined ? undefined : await isolateMemory(this.#known.debuggerUrl);
    return isolate === undefined ? undefined : { isolate, resident: residentMemory(processes) };
  }

  async #find(processes: readonly string[]): Promise<string | undefined> {
    for (const port of processes.flatMap(listeningPorts)) {
      const target = (await targetsAt(port)).find(({ id }) => id === this.#target);
      if (target !== undefined) {
        return target.webSocketDebuggerUrl;
      }
    }
    return undefined;
  }
}

async function targetsAt(port: number): Promise<z.infer<typeof targetsSchema>> {
  try {
    const signal = AbortSignal.timeout(INSPECTOR_DEADLINE_MS);
    return targetsSchema.parse(await (await fetch(`http://127.0.0.1:${port}/json`, { signal })).json());
  } catch {
    // Another of the runtime's ports.
    return [];
  }
}

/** Heap in use and buffers behind arrays once garbage is collected, in bytes; undefined without an answer. */
function isolateMemory(debuggerUrl: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = new WebSocket(debuggerUrl);
    const finish = (memory: number | undefined) => {
      clearTimeout(deadline);
      socket.terminate();
      resolve(memory);
    };
    const deadline = setTimeout(() => finish(undefined), INSPECTOR_DEADLINE_MS);
    const ask = (id: number, method: string) => socket.send(JSON.stringify({ id, method }));
    socket.on("error", () => finish(undefined));
    socket.on("open", () => ask(1, "HeapProfiler.collectGarbage"));
    socket.on("message", (data: Buffer) => {
      const answer = answerSchema.safeParse(JSON.parse(data.toString())).data;
      if (answer?.id === 1) {
        ask(2, "Runtime.getHeapUsage");
      } else if (answer?.id === 2) {
        const usage = usageSchema.safeParse(answer.result).data;
        finish(usage && usage.usedSize + usage.backingStorageSize);
      }
    });
  });
}

/** Ids of a process group's runtime processes. */
function runtimeProcesses(groupId: number): string[] {
  return readdirSync("/proc").filter((pid) => {
    // `pid (name) state parent group …`
    const [, name, group] = /^\d+ \((.*)\) \S+ \d+ (\d+) /.exec(readIfThere(`/proc/${pid}/stat`)) ?? [];
    return name === RUNTIME && Number(group) === groupId;
  });
}

function residentMemory(processes: readonly string[]): number {
  const kilobytes = processes.map((pid) =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/status`))?.[1]),
  );
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1_024;
}

/** Ports of IPv4 on which a process listens. */
function listeningPorts(pid: string): number[] {
  const sockets = new Set(fileLinks(pid));
  const lines = readIfThere(`/proc/${pid}/net/tcp`).split("\n");
  // `sl local-address:port remote-address state …`, the tenth field the inode; 0A is a listening socket.
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A" && sockets.has(`socket:[${fields[9]}]`))
    .map((fields) => Number.parseInt(fields[1]?.split(":")[1] ?? "", 16));
}

function fileLinks(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((file) => readlinkSync(`/proc/${pid}/fd/${file}`));
  } catch {
    // It ended, or closed a file, while it was looked at: the next sample looks again.
    return [];
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // The process ended while it was looked at, or the entry is no process.
    return "";
  }
}

/** The memory of one Worker over one life. Medians after the warm-up, in MiB. */
export interface MemoryOfLife {
  readonly part: string;
  readonly samples: number;
  readonly firstThirdMiB: number;
  readonly lastThirdMiB: number;
  /** Last third over first third of the isolate's memory. */
  readonly ratio: number;
  /** The whole process's, with all that the development tool keeps in it. */
  readonly residentMiB: { readonly firstThird: number; readonly lastThird: number };
}

/** Compares the first third of a life, after its warm-up, with the last. `samples` come at equal distances. */
export function memoryOfLife(part: string, samples: readonly MemorySample[]): MemoryOfLife {
  const warm = samples.slice(Math.min(WARM_UP_SAMPLES, Math.floor(samples.length * WARM_UP_PART)));
  const third = Math.floor(warm.length / 3);
  const first = warm.slice(0, third);
  const last = warm.slice(warm.length - third);
  const isolate = (of: readonly MemorySample[]) => median(of.map((sample) => sample.isolate));
  const resident = (of: readonly MemorySample[]) => median(of.map((sample) => sample.resident));
  return {
    part,
    samples: samples.length,
    firstThirdMiB: inMiB(isolate(first)),
    lastThirdMiB: inMiB(isolate(last)),
    ratio: Math.round((isolate(last) / isolate(first)) * 1_000) / 1_000,
    residentMiB: { firstThird: inMiB(resident(first)), lastThird: inMiB(resident(last)) },
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function inMiB(bytes: number): number {
  return Math.round((bytes / 1_048_576) * 100) / 100;
}
