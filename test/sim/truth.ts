// What must be true of the engagement counts: the reference over the records that a reader was to count.
import type { Publish } from "../../src/contract/live-rpc.ts";
import { Reference, type ReferenceItem } from "./reference.ts";
import type { SimulatedPartition } from "./simulated-log.ts";

/** A stretch of offsets that was not to be counted: `[from, to)`. */
export interface Skipped {
  readonly from: number;
  readonly to: number;
}

const summed = ["views", "likes", "shares", "completions", "watchSeconds", "liveViewers"] as const;

/** The counts of one partition from its beginning, up to any offset. */
export class PartitionTruth {
  readonly #partition: SimulatedPartition;
  readonly #skipped: readonly Skipped[];
  #reference = new Reference();
  #offset = 0;

  /** @param skipped records before the first start, lost to retention, or set aside because they killed the reader */
  constructor(partition: SimulatedPartition, skipped: readonly Skipped[]) {
    this.#partition = partition;
    this.#skipped = skipped;
  }

  /** The count over the records before `offset`. */
  upTo(offset: number): Reference {
    if (offset < this.#offset) {
      this.#reference = new Reference();
      this.#offset = 0;
    }
    for (; this.#offset < offset; this.#offset++) {
      const record = this.#partition.records[this.#offset];
      if (record && !this.#skipped.some(({ from, to }) => record.offset >= from && record.offset < to)) {
        this.#reference.add(record);
      }
    }
    return this.#reference;
  }

  /** What is wrong with a publish, in words; null when nothing is. */
  faultOf(publish: Publish): string | null {
    const reference = this.upTo(publish.offset);
    const items =
      reference.countAt(Math.max(publish.at, reference.logTime)).get(publish.creatorId) ??
      new Map<string, ReferenceItem>();
    const where = `publish of ${publish.creatorId} at ${publish.source} offset ${publish.offset}`;
    if (publish.items.length !== items.size || publish.totals.items !== items.size) {
      return `${where} has ${publish.items.length} items, not ${items.size}`;
    }
    const totals = { views: 0, likes: 0, shares: 0, completions: 0, watchSeconds: 0, liveViewers: 0 };
    for (const item of publish.items) {
      const expected = items.get(item.contentId);
      if (!expected) {
        return `${where} has ${item.contentId}, which nobody watched`;
      }
      for (const name of [...summed, "peakViewers"] as const) {
        if (item[name] !== expected[name]) {
          return `${where}: ${name} of ${item.contentId} is ${item[name]}, not ${expected[name]}`;
        }
      }
      for (const name of summed) {
        totals[name] += expected[name];
      }
    }
    const wrong = summed.find((name) => publish.totals[name] !== totals[name]);
    return wrong === undefined ? null : `${where}: total ${wrong} is ${publish.totals[wrong]}, not ${totals[wrong]}`;
  }
}
