// One process per data folder: two engines writing the same files would destroy them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The file that names the holder. */
export const CLAIM_FILE = "in-use-by";

/**
 * Makes the folder if need be and claims it for this process.
 * @returns a function that gives it back; a claim of a process that has died is taken over
 * @throws Error with a sentence when a living process holds it or it cannot be written
 */
export function claimDataFolder(folder: string): () => void {
  const claim = join(folder, CLAIM_FILE);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new Error(`The data folder ${folder} cannot be made: choose another one, or remove what is in its way.`, {
      cause: error,
    });
  }
  for (;;) {
    try {
      writeFileSync(claim, String(process.pid), { flag: "wx" });
      return () => rmSync(claim, { force: true });
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "EEXIST") {
        throw new Error(`The data folder ${folder} cannot be written.`, { cause: error });
      }
    }
    const holder = readHolder(claim);
    if (holder !== undefined && isAlive(holder)) {
      throw new Error(`The data folder ${folder} is in use by process ${holder}: stop it, or use another folder.`);
    }
    rmSync(claim, { force: true });
  }
}

function readHolder(claim: string): number | undefined {
  try {
    const pid = Number(readFileSync(claim, "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
