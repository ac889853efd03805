// The subscriber counts that the traffic's events carry, kept in a file so that a new run goes on where the last stood.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import type { SubscriberCounts } from "./occasions.ts";

const fileSchema = z.record(z.string(), z.number().int().min(0));

/** Counts per creator in one JSON file. */
export class KeptSubscriberCounts implements SubscriberCounts {
  readonly #file: string;
  readonly #counts: Map<string, number>;
  #changed = false;

  /**
   * @param file created when missing; a file that is no such record is an error that names it
   * @param initial counts of creators that the file does not know
   */
  constructor(file: string, initial: Iterable<readonly [creatorId: string, count: number]>) {
    this.#file = file;
    this.#counts = new Map(initial);
    if (existsSync(file)) {
      const kept = fileSchema.safeParse(parseJson(readFileSync(file, "utf8")));
      if (!kept.success) {
        throw new Error(`${file} does not hold subscriber counts: delete it to begin again from the catalogue's.`);
      }
      for (const [creatorId, count] of Object.entries(kept.data)) {
        this.#counts.set(creatorId, count);
      }
    }
  }

  change(creatorId: string, by: 1 | -1): number | null {
    const before = this.#counts.get(creatorId);
    if (before === undefined) {
      return null;
    }
    const count = Math.max(0, before + by);
    this.#counts.set(creatorId, count);
    this.#changed = true;
    return count;
  }

  /** Writes what changed. A reader of the file sees the old counts or the new ones, never half. */
  save(): void {
    if (!this.#changed) {
      return;
    }
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, JSON.stringify(Object.fromEntries(this.#counts)));
    renameSync(`${this.#file}.new`, this.#file);
    this.#changed = false;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
