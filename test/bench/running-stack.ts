// The stack a benchmark runs against: the one `npm run dev -- --no-traffic` started, else one of its own in an empty
// folder that goes away afterwards.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultDataFolder, type StackNote, stackNoteSchema } from "../../src/local/stack/data-folder.ts";
import { startStack } from "../../src/local/stack/stack.ts";

/** Where the stack is, and how to give it back. */
export interface RunningStack {
  readonly note: StackNote;
  stop(): Promise<void>;
}

/** The running stack, or a fresh one on other ports with the small seed. */
export async function runningStack(progress: (line: string) => void): Promise<RunningStack> {
  const note = noteOfRunning();
  if (note) {
    progress(`Against the running stack at ${note.apiUrl}.`);
    return { note, stop: () => Promise.resolve() };
  }
  progress("No stack is running: starting one without traffic in an empty folder.");
  const dataFolder = mkdtempSync(join(tmpdir(), "creator-dashboard-bench-"));
  const stack = await startStack({
    dataFolder,
    port: 18_787,
    reset: false,
    traffic: false,
    seed: "small",
    environment: {},
    progress,
    onPartFailure: (failure) => {
      process.stderr.write(`${failure.message}\n${failure.tail}\n`);
      process.exitCode = 1;
    },
  });
  return {
    note: stack.note,
    stop: async () => {
      await stack.stop();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

function noteOfRunning(): StackNote | undefined {
  const folder = process.env["DEV_DATA"] ?? defaultDataFolder;
  try {
    const note = stackNoteSchema.parse(JSON.parse(readFileSync(join(folder, "stack.json"), "utf8")));
    process.kill(note.pid, 0);
    return note;
  } catch {
    return undefined;
  }
}
