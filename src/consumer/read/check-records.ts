// What the bridge answers to a fetch, checked by hand: ten thousand records a call leave no time for a schema.
import type { LogRecord } from "../ports.ts";

function isRecord(value: unknown): value is LogRecord {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const { offset, timestamp, key, value: content } = value as Partial<Record<keyof LogRecord, unknown>>;
  return (
    Number.isSafeInteger(offset) &&
    typeof timestamp === "number" &&
    typeof key === "string" &&
    typeof content === "string"
  );
}

/**
 * The records from `offset` on, in order. Brokers answer whole batches, so earlier records are left out. Throws
 * TypeError when the answer is no list of records in rising order.
 */
export function checkRecords(answer: unknown, offset: number): readonly LogRecord[] {
  if (!Array.isArray(answer)) {
    throw new TypeError("the bridge answered no list of records");
  }
  let last = -1;
  for (const record of answer as unknown[]) {
    if (!isRecord(record)) {
      throw new TypeError("the bridge answered a record without offset, timestamp, key or value");
    }
    if (record.offset <= last) {
      throw new TypeError("the bridge answered records out of order");
    }
    last = record.offset;
  }
  // All were records.
  const records = answer as readonly LogRecord[];
  return records.length > 0 && (records[0]?.offset ?? offset) < offset
    ? records.filter((record) => record.offset >= offset)
    : records;
}
