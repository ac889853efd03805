// Records as Kafka's record batch, version 2, written into one buffer. The library makes a dozen small buffers of every
// record and joins them twice, two fifths of the CPU of producing when the two were measured side by side. It also gets
// timestamps wrong that are more than 24 days from the first; otherwise its bytes are these, as the tests see to.
import { crc32c } from "@platformatic/kafka";

/** A record of a batch. Texts are written in UTF-8. */
export interface BatchRecord {
  readonly key?: string | Uint8Array | undefined;
  /** Undefined is a tombstone. */
  readonly value?: string | Uint8Array | undefined;
  readonly headers?: ReadonlyMap<Uint8Array, Uint8Array> | undefined;
  /** Milliseconds since the epoch. */
  readonly timestamp: bigint;
}

/** Whose batch it is, so that the broker recognises it when it comes again. */
export interface BatchOrigin {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
}

/** Where in a batch things are (https://kafka.apache.org/documentation/#recordbatch). */
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const RECORDS_AT = 61;
const MAGIC = 2;

/** Writes at least one record as a batch: not compressed, of no transaction. */
export function encodeRecordBatch(records: readonly BatchRecord[], origin: BatchOrigin): Buffer {
  const timestamps = records.map(({ timestamp }) => Number(timestamp));
  const first = timestamps[0] ?? 0;
  const last = timestamps.reduce((latest, each) => Math.max(latest, each), first);
  const lengths = records.map((record, index) => recordBytes(record, (timestamps[index] ?? first) - first, index));
  const total = lengths.reduce((sum, length) => sum + varintBytes(length) + length, RECORDS_AT);

  const bytes = Buffer.allocUnsafe(total);
  // The base offset is the broker's to set, and the leader's epoch none that a producer knows.
  bytes.fill(0, 0, RECORDS_AT);
  bytes.writeInt32BE(total - LENGTH_AT - 4, LENGTH_AT);
  bytes[MAGIC_AT] = MAGIC;
  bytes.writeInt32BE(records.length - 1, ATTRIBUTES_AT + 2);
  bytes.writeBigInt64BE(BigInt(first), ATTRIBUTES_AT + 6);
  bytes.writeBigInt64BE(BigInt(last), ATTRIBUTES_AT + 14);
  bytes.writeBigInt64BE(origin.producerId, ATTRIBUTES_AT + 22);
  bytes.writeInt16BE(origin.producerEpoch, ATTRIBUTES_AT + 30);
  bytes.writeInt32BE(origin.firstSequence, ATTRIBUTES_AT + 32);
  bytes.writeInt32BE(records.length, ATTRIBUTES_AT + 36);

  const pen = new Pen(bytes, RECORDS_AT);
  records.forEach(({ key, value, headers }, index) => {
    pen.varint(lengths[index] ?? 0);
    pen.zero();
    pen.varint((timestamps[index] ?? first) - first);
    pen.varint(index);
    pen.field(key);
    pen.field(value);
    pen.varint(headers?.size ?? 0);
    headers?.forEach((header, name) => {
      pen.field(name);
      pen.field(header);
    });
  });
  bytes.writeUInt32BE(crc32c(bytes.subarray(ATTRIBUTES_AT)), CRC_AT);
  return bytes;
}

/** Bytes of a record behind its own length; the first is its attributes, of which there are none. */
function recordBytes({ key, value, headers }: BatchRecord, timestampDelta: number, offsetDelta: number): number {
  let bytes = 1 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + fieldBytes(key) + fieldBytes(value);
  bytes += varintBytes(headers?.size ?? 0);
  headers?.forEach((header, name) => {
    bytes += fieldBytes(name) + fieldBytes(header);
  });
  return bytes;
}

function fieldBytes(field: string | Uint8Array | undefined): number {
  const length = field === undefined ? -1 : Buffer.byteLength(field);
  return varintBytes(length) + Math.max(0, length);
}

/** What zigzag encodes as twice its amount, and one more if it was negative: doubled, a safe integer may not be safe. */
function magnitude(value: number): number {
  return value >= 0 ? value : -1 - value;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = magnitude(value); rest >= 0x40; rest = Math.floor(rest / 0x80)) {
    bytes += 1;
  }
  return bytes;
}

/** Writes on, from where it is. */
class Pen {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  zero(): void {
    this.#bytes[this.#at++] = 0;
  }

  /** Seven bits a byte, the lowest first; of a safe integer. */
  varint(value: number): void {
    const amount = magnitude(value);
    let low = (amount % 0x40) * 2 + (value < 0 ? 1 : 0);
    for (let rest = Math.floor(amount / 0x40); rest > 0; rest = Math.floor(rest / 0x80)) {
      this.#bytes[this.#at++] = low + 0x80;
      low = rest % 0x80;
    }
    this.#bytes[this.#at++] = low;
  }

  /** A length and the bytes; -1 where there is nothing. */
  field(field: string | Uint8Array | undefined): void {
    if (field === undefined) {
      this.varint(-1);
    } else if (typeof field === "string") {
      this.varint(Buffer.byteLength(field));
      this.#at += this.#bytes.write(field, this.#at);
    } else {
      this.varint(field.length);
      this.#bytes.set(field, this.#at);
      this.#at += field.length;
    }
  }
}
