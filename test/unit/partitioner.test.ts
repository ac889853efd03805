import { expect, test } from "vitest";
import { murmur2, partitionOf } from "../../src/contract/partitioner.ts";

// Vectors of Apache Kafka's own UtilsTest.testMurmur2.
const vectors: [key: string, hash: number][] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

test.each(vectors)("hashes %j as Kafka does", (key, hash) => {
  expect(murmur2(new TextEncoder().encode(key))).toBe(hash);
});

test("a key's partition is never negative and below the number of partitions", () => {
  for (const [key] of vectors) {
    expect(partitionOf(key, 6)).toBeGreaterThanOrEqual(0);
    expect(partitionOf(key, 6)).toBeLessThan(6);
  }
});
