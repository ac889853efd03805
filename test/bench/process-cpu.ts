// CPU time of processes from Linux' procfs: what work cost, whoever else was busy. Elsewhere it is unknown.
import { readdirSync, readFileSync } from "node:fs";

/** The kernel reports in ticks of USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface ProcessStat {
  readonly pid: number;
  readonly name: string;
  readonly parent: number;
  readonly cpuSeconds: number;
}

/** User and system seconds that a process has used; NaN where procfs does not say. */
export function cpuSeconds(pid: number): number {
  return statOf(pid)?.cpuSeconds ?? Number.NaN;
}

/** Processes of a name below this one, at any depth; none where there is no procfs. */
export function descendants(name: string): number[] {
  const stats = processes();
  const below = new Set([process.pid]);
  for (let size = 0; size < below.size;) {
    size = below.size;
    for (const { pid, parent } of stats) {
      if (below.has(parent)) {
        below.add(pid);
      }
    }
  }
  return stats.filter((stat) => stat.name === name && below.has(stat.pid)).map(({ pid }) => pid);
}

function processes(): ProcessStat[] {
  try {
    return readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .flatMap((entry) => statOf(Number(entry)) ?? []);
  } catch {
    return [];
  }
}

/** See proc_pid_stat(5): the name stands in parentheses and may hold any character. */
function statOf(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    const fields = text.slice(end + 2).split(" ");
    const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number);
    return {
      pid,
      name: text.slice(text.indexOf("(") + 1, end),
      parent: parent ?? 0,
      cpuSeconds: ((user ?? 0) + (system ?? 0)) / TICKS_PER_SECOND,
    };
  } catch {
    return undefined;
  }
}
