// Record batches as a broker sends them, turned into what a reader with read_committed may see, already as JSON.
import type { FetchResponsePartition } from "./kafka-client.ts";
import type { ValueEncoding } from "./log.ts";
import { recordMessage } from "./record-json.ts";
import type { RecordMessage } from "./record-json.ts";

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

/** Records as JSON objects joined by commas, in pieces, and where to read on. */
interface EncodedRecords {
  count: number;
  records: Uint8Array[];
  nextOffset: number;
}

/** Encodes the committed records of one partition's answer. */
export function encodeRecords(
  topic: string,
  { partitionIndex, records: batches, abortedTransactions }: FetchResponsePartition,
  { from, maxRecords, maxBytes, encoding }: Bounds,
): EncodedRecords {
  const written = new JoinedMessages(maxRecords, maxBytes);
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
        const timestamp =
          (batch.attributes & LOG_APPEND_TIME) === 0
            ? Number(batch.firstTimestamp) + Number(record.timestampDelta)
            : Number(batch.maxTimestamp);
        const headers = record.headers.map(([key, value]) => ({ key: key ?? "", value }));
        const { key, value } = record;
        const stored = { offset, timestamp, key, value, headers };
        if (!written.add(recordMessage(topic, partitionIndex, stored, encoding))) {
          return written.end();
        }
      }
    }
    nextOffset = Math.max(nextOffset, last + 1);
  }
  return written.end(nextOffset);
}

/** So many messages become JSON together: one by one they take half as long again. */
const TOGETHER = 64;
const COMMA = Buffer.from(",");

/** Messages joined by commas, as JSON, within bounds. */
class JoinedMessages {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #pieces: Buffer[] = [];
  #pending: RecordMessage[] = [];
  #count = 0;
  #bytes = 0;
  /** The offset of the first message that found no room. */
  #refused: number | undefined;

  constructor(maxRecords: number, maxBytes: number) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  /** Takes a message; false once there is no room for more. */
  add(message: RecordMessage): boolean {
    if (this.#count + this.#pending.length >= this.#maxRecords) {
      this.#refused = message.offset;
      return false;
    }
    this.#pending.push(message);
    if (this.#pending.length === TOGETHER) {
      this.#flush();
    }
    return this.#refused === undefined;
  }

  /** What was taken; read on at the first message that was not, or where told. */
  end(nextOffset = 0): EncodedRecords {
    this.#flush();
    return { count: this.#count, records: this.#pieces, nextOffset: this.#refused ?? nextOffset };
  }

  #flush(): void {
    const messages = this.#pending;
    this.#pending = [];
    if (messages.length > 0 && !this.#take(messages)) {
      const left = messages.findIndex((message) => !this.#take([message]));
      this.#refused = messages[left]?.offset;
    }
  }

  /** Adds messages unless they are too much; a first one alone never is. */
  #take(messages: readonly RecordMessage[]): boolean {
    const list = Buffer.from(JSON.stringify(messages));
    const bytes = list.length - 1;
    const isFirstAlone = this.#count === 0 && messages.length === 1;
    if (!isFirstAlone && this.#bytes + bytes > this.#maxBytes) {
      return false;
    }
    if (this.#count > 0) {
      this.#pieces.push(COMMA);
    }
    // Without the brackets of the list.
    this.#pieces.push(list.subarray(1, -1));
    this.#count += messages.length;
    this.#bytes += bytes;
    return true;
  }
}
