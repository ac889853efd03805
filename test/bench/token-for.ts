// A token of the local issuer, made by the same command a person would use.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { StackNote } from "../../src/local/stack/data-folder.ts";

const run = promisify(execFile);

/** A token of `creatorId`, valid for an hour. */
export async function tokenFor(note: StackNote, creatorId: string): Promise<string> {
  const args = ["src/local/token.ts", "--creator", creatorId, "--expires-in", "3600"];
  const { stdout } = await run(process.execPath, args, { env: { ...process.env, DEV_DATA: note.dataFolder } });
  return stdout.trim();
}
