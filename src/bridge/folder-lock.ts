// One process at a time in a folder: two writers would tear the embedded log apart.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

const held = new Set<string>();

/**
 * Takes a folder for this process; a holder that has died is no holder. Returns what gives the folder back.
 * Throws when a living process, this one included, holds it.
 */
export async function takeFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(resolve(folder), "holder");
  const holder = Number(await readFile(path, "utf8").catch(() => ""));
  // A container's processes often have the same id at every start: our own id in the file is an earlier life of ours.
  if (held.has(path) || (holder > 0 && holder !== process.pid && isAlive(holder))) {
    throw new Error(`${folder} is in use by process ${holder}: every embedded log needs its own folder`);
  }
  held.add(path);
  await writeFile(path, String(process.pid));
  return async () => {
    held.delete(path);
    await rm(path, { force: true });
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
