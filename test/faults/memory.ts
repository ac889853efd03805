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
/**
 * Of a life, this part is not judged: code is compiled and caches fill. In a consumer that lived for 26 minutes the heap
 * grew by a tenth until its fifteenth minute, most of it in the first four, and not after.
 */
const WARM_UP_PART = 0.25;
/** Fewer samples than this after the warm-up say nothing. */
const FEWEST_SAMPLES = 30;
const INSPECTOR_DEADLINE_MS = 5_000;

const targetsSchema = z.array(z.object({ id: z.string(), webSocketDebuggerUrl: z.url() }));
const answerSchema = z.object({ id: z.number(), result: z.unknown() });
const usageSchema = z.object({ usedSize: z.number(), backingStorageSize: z.number() });

/** True where memory can be measured. */
export const canMeasureMemory = existsSync("/proc/self/status");

/** Bytes: of the Worker's isolate, and of the processes that run it. `at` is in ms since the Unix epoch. */
export interface MemorySample {
  readonly at: number;
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
    return isolate === undefined ? undefined : { at: Date.now(), isolate, resident: residentMemory(processes) };
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

/** The memory of one Worker over one life. Medians after the warm-up, in MiB; null where there were too few samples. */
export interface MemoryOfLife {
  readonly part: string;
  readonly samples: number;
  readonly firstThirdMiB: number | null;
  readonly lastThirdMiB: number | null;
  /** Last third over first third of the isolate's memory. */
  readonly ratio: number | null;
  /** The whole process's, with all that the development tool keeps in it. */
  readonly residentMiB: { readonly firstThird: number | null; readonly lastThird: number | null };
}

/**
 * Compares the first third of a life, after its warm-up, with the last.
 * @param samples at equal distances
 * @param fromMs samples of before that instant are not judged either
 */
export function memoryOfLife(part: string, samples: readonly MemorySample[], fromMs: number): MemoryOfLife {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP_PART)).filter(({ at }) => at >= fromMs);
  const third = Math.floor(warm.length / 3);
  const mebibytes = (these: readonly MemorySample[], of: (sample: MemorySample) => number) =>
    warm.length < FEWEST_SAMPLES ? null : inMiB(median(these.map(of)));
  const [first, last] = [warm.slice(0, third), warm.slice(warm.length - third)];
  const [firstThirdMiB, lastThirdMiB] = [first, last].map((of) => mebibytes(of, ({ isolate }) => isolate));
  return {
    part,
    samples: samples.length,
    firstThirdMiB: firstThirdMiB ?? null,
    lastThirdMiB: lastThirdMiB ?? null,
    ratio: firstThirdMiB && lastThirdMiB ? Math.round((lastThirdMiB / firstThirdMiB) * 1_000) / 1_000 : null,
    residentMiB: {
      firstThird: mebibytes(first, ({ resident }) => resident),
      lastThird: mebibytes(last, ({ resident }) => resident),
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function inMiB(bytes: number): number {
  return Math.round((bytes / 1_048_576) * 100) / 100;
}
