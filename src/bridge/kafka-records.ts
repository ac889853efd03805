// Record batches as a broker sends them, turned into what a reader with read_committed may see, already as JSON.
import type { FetchResponsePartition } from "./kafka-client.ts";
import type { ValueEncoding } from "./log.ts";
import { recordJson, recordPrefix } from "./record-json.ts";

/** Bits of a batch's attributes: Kafka's record batch format, version 2. */
const LOG_APPEND_TIME = 1 << 3;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;
/** A control record's type, in the second half of its key: 0 ends a transaction as aborted. */
const ABORT_MARKER = 0;

/** How much to take of a partition's answer. */
interface Bounds {
  /** The offset asked for: brokers send whole batches, which may begin before it. */
  from: number;
  maxRecords: number;
  maxBytes: number;
  encoding: ValueEncoding;
}

/** Records as JSON objects joined by commas, and where to read on. */
interface EncodedRecords {
  count: number;
  records: Uint8Array;
  nextOffset: number;
}

/** Encodes the committed records of one partition's answer. */
export function encodeRecords(
  topic: string,
  { partitionIndex, records: batches, abortedTransactions }: FetchResponsePartition,
  { from, maxRecords, maxBytes, encoding }: Bounds,
): EncodedRecords {
  const prefix = recordPrefix(topic, partitionIndex);
  const written = new JoinedLines();
  let nextOffset = from;
  // A producer's records from the transaction's first offset up to its abort marker were never committed.
  const beginnings = (abortedTransactions ?? []).toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const aborting = new Set<bigint>();
  for (const batch of batches ?? []) {
    const first = Number(batch.firstOffset);
    const last = first + batch.lastOffsetDelta;
    while (beginnings[0] !== undefined && beginnings[0].firstOffset <= BigInt(last)) {
      aborting.add(beginnings[0].producerId);
      beginnings.shift();
    }
    if ((batch.attributes & CONTROL) !== 0) {
      if (batch.records[0]?.key?.readInt16BE(2) === ABORT_MARKER) {
        aborting.delete(batch.producerId);
      }
    } else if ((batch.attributes & TRANSACTIONAL) === 0 || !aborting.has(batch.producerId)) {
      for (const record of batch.records) {
        const offset = first + record.offsetDelta;
        if (offset < from) {
          continue;
        }
        const time =
          (batch.attributes & LOG_APPEND_TIME) === 0
            ? Number(batch.firstTimestamp) + Number(record.timestampDelta)
            : Number(batch.maxTimestamp);
        const headers = record.headers.map(([key, value]) => ({ key: key ?? "", value }));
        const { key, value } = record;
        const line = recordJson(prefix, { offset, timestamp: time, key, value, headers }, encoding);
        if (written.count >= maxRecords || (written.count > 0 && written.length + line.length > maxBytes)) {
          return { count: written.count, records: written.bytes(), nextOffset: offset };
        }
        written.add(line);
      }
    }
    nextOffset = Math.max(nextOffset, last + 1);
  }
  return { count: written.count, records: written.bytes(), nextOffset };
}

/** So many lines become bytes together: few enough to be garbage while still young, enough to make the copy cheap. */
const LINES_PER_CHUNK = 64;

/** Lines joined by commas, turned into bytes piece by piece. */
class JoinedLines {
  readonly #chunks: Buffer[] = [];
  #pending = "";
  count = 0;
  /** In characters: a little less than bytes where text is not ASCII. */
  length = 0;

  add(line: string): void {
    this.#pending += this.count === 0 ? line : `,${line}`;
    this.count += 1;
    this.length += line.length + 1;
    if (this.count % LINES_PER_CHUNK === 0) {
      this.#flush();
    }
  }

  bytes(): Buffer {
    this.#flush();
    return Buffer.concat(this.#chunks);
  }

  #flush(): void {
    this.#chunks.push(Buffer.from(this.#pending));
    this.#pending = "";
  }
}
