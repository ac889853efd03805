// How many distinct sessions a stream had: an exact set while small, a HyperLogLog beyond.
import { addToHll, estimateHll, HLL_REGISTERS } from "./hyper-log-log.ts";

/** Sets up to this many sessions are exact (ours: as large as the sketch that replaces them). */
export const EXACT_SESSIONS = 512;
const FIRST_SLOTS = 32;

/** A set of 64-bit hashes that becomes a sketch when it grows. */
export class UniqueSessions {
  /** Pairs (lo, hi); a free slot is (0, 0), and that one hash is counted as (1, 0). */
  #exact: Uint32Array | null = new Uint32Array(FIRST_SLOTS * 2);
  #size = 0;
  #sketch: Uint8Array | null = null;

  get isApproximate(): boolean {
    return this.#sketch !== null;
  }

  count(): number {
    return this.#sketch === null ? this.#size : estimateHll([this.#sketch]);
  }

  add(lo: number, hi: number): void {
    if (this.#sketch !== null) {
      addToHll(this.#sketch, lo, hi);
      return;
    }
    const exact = this.#exact ?? new Uint32Array(FIRST_SLOTS * 2);
    const first = lo === 0 && hi === 0 ? 1 : lo;
    if (!insert(exact, first, hi)) {
      return;
    }
    this.#size++;
    if (this.#size > EXACT_SESSIONS) {
      this.#becomeSketch(exact);
    } else if (this.#size * 4 > exact.length) {
      this.#exact = rehash(exact);
    }
  }

  /** What a checkpoint holds: the pairs of the exact set without free slots, or the registers. */
  dump(): { readonly exact: Uint32Array } | { readonly sketch: Uint8Array } {
    if (this.#sketch !== null) {
      return { sketch: this.#sketch };
    }
    const pairs = new Uint32Array(this.#size * 2);
    let at = 0;
    forEachPair(this.#exact ?? pairs, (lo, hi) => {
      pairs[at++] = lo;
      pairs[at++] = hi;
    });
    return { exact: pairs };
  }

  /** The set that gave this dump. */
  static from(dump: { readonly exact: Uint32Array } | { readonly sketch: Uint8Array }): UniqueSessions {
    const unique = new UniqueSessions();
    if ("sketch" in dump) {
      unique.#exact = null;
      unique.#sketch = dump.sketch;
      return unique;
    }
    for (let at = 0; at < dump.exact.length; at += 2) {
      unique.add(dump.exact[at] ?? 0, dump.exact[at + 1] ?? 0);
    }
    return unique;
  }

  #becomeSketch(exact: Uint32Array): void {
    const sketch = new Uint8Array(HLL_REGISTERS);
    forEachPair(exact, (lo, hi) => addToHll(sketch, lo, hi));
    this.#sketch = sketch;
    this.#exact = null;
  }
}

function insert(pairs: Uint32Array, lo: number, hi: number): boolean {
  const mask = pairs.length / 2 - 1;
  let slot = lo & mask;
  for (; pairs[slot * 2] !== 0 || pairs[slot * 2 + 1] !== 0; slot = (slot + 1) & mask) {
    if (pairs[slot * 2] === lo && pairs[slot * 2 + 1] === hi) {
      return false;
    }
  }
  pairs[slot * 2] = lo;
  pairs[slot * 2 + 1] = hi;
  return true;
}

function rehash(pairs: Uint32Array): Uint32Array {
  const larger = new Uint32Array(pairs.length * 2);
  forEachPair(pairs, (lo, hi) => insert(larger, lo, hi));
  return larger;
}

function forEachPair(pairs: Uint32Array, visit: (lo: number, hi: number) => void): void {
  for (let at = 0; at < pairs.length; at += 2) {
    if (pairs[at] !== 0 || pairs[at + 1] !== 0) {
      visit(pairs[at] ?? 0, pairs[at + 1] ?? 0);
    }
  }
}
