// Which partition a key falls into: the hash of Apache Kafka's default partitioner (KIP-480 left it unchanged for keyed
// records), so that the embedded log, the watch list and every real producer agree.

/** MurmurHash2 (Austin Appleby, public domain) as 32 bits with Kafka's seed 0x9747b28c. */
export function murmur2(bytes: Uint8Array): number {
  const m = 0x5bd1e995;
  const length = bytes.length;
  let h = 0x9747b28c ^ length;
  const words = length >> 2;
  for (let i = 0; i < words; i++) {
    const at = i * 4;
    let k =
      (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24) | 0;
    k = Math.imul(k, m);
    k ^= k >>> 24;
    k = Math.imul(k, m);
    h = Math.imul(h, m) ^ k;
  }
  const tail = words * 4;
  const rest = length & 3;
  if (rest >= 3) {
    h ^= (bytes[tail + 2] ?? 0) << 16;
  }
  if (rest >= 2) {
    h ^= (bytes[tail + 1] ?? 0) << 8;
  }
  if (rest >= 1) {
    h ^= bytes[tail] ?? 0;
    h = Math.imul(h, m);
  }
  h ^= h >>> 13;
  h = Math.imul(h, m);
  h ^= h >>> 15;
  return h | 0;
}

const encoder = new TextEncoder();

/** The partition of a keyed record: `(murmur2(key) & 0x7fffffff) % partitions`. `partitions` is at least 1. */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(encoder.encode(key)) & 0x7fffffff) % partitions;
}
