// One process of the local stack: started, waited for, stopped in order, killed and started again.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const preload = join(dirname(fileURLToPath(import.meta.url)), "end-with-parent.ts");
const root = join(dirname(preload), "..", "..", "..");

/** A cold start of two bundles and an engine on two busy cores took 20 s at worst; three times that is a failure. */
const READY_TIMEOUT_MS = 60_000;
/** How long a part may take to end by itself: the bridge drains polls, the engines flush to disk. */
const STOP_TIMEOUT_MS = 10_000;
const PROBE_INTERVAL_MS = 50;

/** What a part is: a script, its arguments and environment, and how to know that it is ready. */
export interface PartOptions {
  readonly name: string;
  /** Absolute, or relative to the project's root. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Done before every start: clears away what a process that was killed has left. */
  readonly prepare?: () => void;
  /** True once the part does its work; asked every 50 ms. */
  readonly ready: () => Promise<boolean>;
  /** Folder of the log files. */
  readonly logs: string;
}

/** A part that could not be started, or ended while it should run. `tail` is the end of its log. */
export class PartFailure extends Error {
  override readonly name = "PartFailure";
  readonly part: string;
  readonly tail: string;
  constructor(part: string, what: string, tail: string) {
    super(`${part} ${what}`);
    this.part = part;
    this.tail = tail;
  }
}

/** A running part. */
export class Part {
  readonly name: string;
  readonly #options: PartOptions;
  readonly #onUnexpectedExit: (failure: PartFailure) => void;
  #child: ChildProcess | undefined;
  #stopping = false;
  #ready = false;
  /** Where this run's lines begin in the log file. */
  #logStart = 0;

  /** @param onUnexpectedExit called when the process, once ready, ends though nobody asked it to */
  constructor(options: PartOptions, onUnexpectedExit: (failure: PartFailure) => void) {
    this.name = options.name;
    this.#options = options;
    this.#onUnexpectedExit = onUnexpectedExit;
  }

  /** The process id while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process and resolves when it is ready; throws {@link PartFailure} when it ends or takes too long. */
  async start(): Promise<void> {
    const { script, args = [], env = {}, prepare, ready } = this.#options;
    this.#stopping = false;
    this.#ready = false;
    prepare?.();
    const log = openSync(this.#logFile(), "a");
    this.#logStart = fstatSync(log).size;
    // A process group of its own: Ctrl-C reaches only the stack, which then stops the parts in order.
    const child = fork(resolve(root, script), [...args], {
      cwd: root,
      env: { ...process.env, ...env },
      execArgv: ["--no-warnings", "--import", preload],
      stdio: ["ignore", log, log, "ipc"],
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    let ended = false;
    child.on("exit", (code, signal) => {
      ended = true;
      // A tool that was ended by force leaves helpers behind (wrangler its workerd), which hold its ports and files.
      this.#killGroup(child.pid);
      if (this.#child === child) {
        this.#child = undefined;
        if (this.#ready && !this.#stopping) {
          this.#onUnexpectedExit(this.#failure(`ended unexpectedly (${signal ?? `code ${code}`})`));
        }
      }
    });
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!(await ready().catch(() => false))) {
      if (ended) {
        throw this.#failure("ended while starting");
      }
      if (Date.now() > deadline) {
        await this.stop();
        throw this.#failure(`was not ready after ${READY_TIMEOUT_MS / 1000} s`);
      }
      await sleep(PROBE_INTERVAL_MS);
    }
    if (ended) {
      throw this.#failure("ended while starting; another process answers at its address");
    }
    this.#ready = true;
  }

  /** Asks the process to end, waits, and ends it by force after 10 s. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child?.pid) {
      return;
    }
    this.#stopping = true;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const force = setTimeout(() => this.#killGroup(child.pid), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(force);
  }

  /** Ends the process and its children at once, as a crash would: no handler of theirs runs. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child?.pid) {
      return;
    }
    this.#stopping = true;
    const exited = once(child, "exit");
    this.#killGroup(child.pid);
    await exited;
  }

  #killGroup(pid: number | undefined): void {
    try {
      if (pid) {
        process.kill(-pid, "SIGKILL");
      }
    } catch {
      // The group is gone already.
    }
  }

  #logFile(): string {
    mkdirSync(this.#options.logs, { recursive: true });
    return join(this.#options.logs, `${this.#options.name}.log`);
  }

  #failure(what: string): PartFailure {
    const lines = readFileSync(this.#logFile()).subarray(this.#logStart).toString("utf8").trimEnd().split("\n");
    return new PartFailure(this.name, what, lines.slice(-12).join("\n"));
  }
}
