// The requests that are written here, byte for byte beside those that the library writes.
import {
  NumericMap,
  Reader,
  createRecordsBatch,
  produceV11,
  produceV3,
  produceV8,
  produceV9,
  readRecordsBatch,
} from "@platformatic/kafka";
import type { MessageRecord } from "@platformatic/kafka";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { produceRequest } from "../../src/bridge/kafka-produce-request.ts";
import { encodeRecordBatch } from "../../src/bridge/kafka-record-batch.ts";
import type { BatchRecord } from "../../src/bridge/kafka-record-batch.ts";

const origin = { producerId: 4_711_000_000_001n, producerEpoch: 7 };

/** Any UTF-16, also halves of surrogate pairs, and lengths on both sides of where a length takes another byte. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.constantFrom(0, 63, 64, 8_191, 8_192).map((length) => "x".repeat(length)),
);
const bytes = fc.uint8Array({ maxLength: 80 });
/** Of the 24 days whose differences the library writes right. */
const timestamp = fc.integer({ min: 1_790_000_000_000, max: 1_792_000_000_000 });
const record = fc.record({
  key: fc.option(text, { nil: undefined }),
  value: fc.option(fc.oneof(text, bytes), { nil: undefined }),
  headers: fc.option(
    fc.array(fc.tuple(bytes, bytes), { maxLength: 3 }).map((headers) => new Map(headers)),
    { nil: undefined },
  ),
  timestamp: timestamp.map(BigInt),
});

/** The same record as the library takes it. */
function asBuffers({ key, value, headers, timestamp: at }: BatchRecord): MessageRecord {
  const message = { topic: "t", partition: 3, timestamp: at, headers: new Map() } as MessageRecord;
  if (key !== undefined) {
    message.key = Buffer.from(key);
  }
  if (value !== undefined) {
    message.value = Buffer.from(value);
  }
  headers?.forEach((header, name) => message.headers?.set(Buffer.from(name), Buffer.from(header)));
  return message;
}

describe("a record batch", () => {
  it("is what the library makes of the same records", () => {
    const batch = fc.array(record, { minLength: 1, maxLength: 70 });
    fc.assert(
      fc.property(batch, fc.nat({ max: 0x7fffffff }), (records, firstSequence) => {
        const written = encodeRecordBatch(records, { ...origin, firstSequence });
        const sequences = new NumericMap([["t:3", firstSequence]]);
        expect(written.equals(createRecordsBatch(records.map(asBuffers), { ...origin, sequences }).buffer)).toBe(true);
      }),
    );
  });

  it("keeps timestamps that are years apart", () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 5 }), (times) => {
        const records = times.map((at) => ({ timestamp: BigInt(at) }));
        const {
          firstTimestamp,
          maxTimestamp,
          records: read,
        } = readRecordsBatch(Reader.from(encodeRecordBatch(records, { ...origin, firstSequence: 0 })));
        expect(read.map(({ timestampDelta }) => Number(firstTimestamp + timestampDelta))).toEqual(times);
        expect(Number(maxTimestamp)).toBe(Math.max(...times));
      }),
    );
  });
});

describe("a produce request", () => {
  it.each([
    [3, produceV3],
    [8, produceV8],
    [9, produceV9],
    [11, produceV11],
  ])("of version %i is what the library writes", (version, library) => {
    const records = [
      ["one", 0],
      ["one", 2],
      ["two", 0],
      ["one", 0],
    ].map(([topic, partition], at) => ({
      topic: String(topic),
      partition: Number(partition),
      key: `key ${at}`,
      value: "ünïcode",
      timestamp: 1_790_000_000_000n + BigInt(at),
    }));
    const sequences = new NumericMap([
      ["one:0", 5],
      ["two:0", 9],
    ]);
    const theirs = records.map(({ topic, partition, ...rest }) => ({ ...asBuffers(rest), topic, partition }));
    const written = produceRequest(version, -1, 30_000, records, { ...origin, sequences });
    expect(written.buffer).toEqual(library.createRequest(-1, 30_000, theirs, { ...origin, sequences }).buffer);
  });
});
