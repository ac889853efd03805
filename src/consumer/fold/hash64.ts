// 64-bit hashes of identifiers as two 32-bit lanes, so that millions fit into typed arrays. Not for secrets: ids come
// from the platform's own producers, and a collision (about n² / 2^65) costs one viewer.

/** A hash in two halves, reused from call to call: no object per event. */
export class Hash64 {
  lo = 0;
  hi = 0;

  /** Hashes `text` alone, or two texts as a pair. */
  of(text: string, second?: string): this {
    let lo = 0x9e3779b9;
    let hi = 0x41c6ce57;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      lo = Math.imul(lo ^ unit, 0x9e3779b1);
      hi = Math.imul((hi << 5) ^ (hi >>> 27) ^ unit, 0x5f356495);
    }
    if (second !== undefined) {
      // Outside of UTF-16, so that no text can imitate the border between the two.
      lo = Math.imul(lo ^ 0x10000, 0x9e3779b1);
      hi = Math.imul((hi << 5) ^ (hi >>> 27) ^ 0x10000, 0x5f356495);
      for (let i = 0; i < second.length; i++) {
        const unit = second.charCodeAt(i);
        lo = Math.imul(lo ^ unit, 0x9e3779b1);
        hi = Math.imul((hi << 5) ^ (hi >>> 27) ^ unit, 0x5f356495);
      }
    }
    this.lo = finish(lo, hi);
    this.hi = finish(hi, this.lo);
    return this;
  }
}

/** Murmur3's 32-bit finaliser over one lane and the other. */
function finish(lane: number, other: number): number {
  let h = lane ^ (other >>> 15);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16) ^ other) >>> 0;
}
