// Viewers of one item whose sessions no longer fit into memory: a HyperLogLog per 5 seconds of beats, merged over the
// window. Beats count for the window rounded up to a whole bucket, and an ended session counts until it leaves it.
import { addToHll, estimateHll, HLL_REGISTERS } from "./hyper-log-log.ts";
import { WINDOW_MS } from "./session-table.ts";

const BUCKET_MS = 5_000;
/** The window's buckets, and the one that has begun. */
export const CROWD_BUCKETS = WINDOW_MS / BUCKET_MS + 1;

/** Approximate viewers of one item. */
export class Crowd {
  /** Which bucket of time each sketch holds; -1 for none. */
  readonly buckets: Float64Array;
  readonly sketches: Uint8Array[];

  constructor(
    buckets: Float64Array = new Float64Array(CROWD_BUCKETS).fill(-1),
    sketches: Uint8Array[] = Array.from({ length: CROWD_BUCKETS }, () => new Uint8Array(HLL_REGISTERS)),
  ) {
    this.buckets = buckets;
    this.sketches = sketches;
  }

  /** Adds a session's beat at an instant in ms, inside the window. */
  add(lo: number, hi: number, beatAt: number): void {
    const bucket = Math.floor(beatAt / BUCKET_MS);
    const at = bucket % CROWD_BUCKETS;
    const sketch = this.sketches[at];
    const held = this.buckets[at] ?? -1;
    if (sketch === undefined || held > bucket) {
      return;
    }
    if (held !== bucket) {
      this.buckets[at] = bucket;
      sketch.fill(0);
    }
    addToHll(sketch, lo, hi);
  }

  /** Sessions with a beat in the window that ends at `time` (ms). */
  viewers(time: number): number {
    const inWindow = this.sketches.filter((_, at) => {
      const bucket = this.buckets[at] ?? -1;
      return bucket >= 0 && (bucket + 1) * BUCKET_MS > time - WINDOW_MS;
    });
    return inWindow.length === 0 ? 0 : estimateHll(inWindow);
  }
}
