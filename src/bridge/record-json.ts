// How a record is written for readers: the Message of the Upstash contract, as one object of JSON.
import { isUtf8 } from "node:buffer";
import type { ValueEncoding } from "./log.ts";

/** A stored record, as both logs hand it over for encoding. */
export interface StoredRecord {
  offset: number;
  timestamp: number;
  key: string | Uint8Array | null;
  value: string | Uint8Array | null;
  headers: readonly { key: string | Uint8Array; value: string | Uint8Array | null }[];
}

/** A record as readers get it. */
export interface RecordMessage {
  topic: string;
  partition: number;
  offset: number;
  timestamp: number;
  key: string;
  value: string | null;
  headers: { key: string; value: string }[];
  valueBase64?: string | null;
}

/** What bytes that are not UTF-8 become; text may also contain it by itself. */
const REPLACEMENT = "\ufffd";

function text(value: string | Uint8Array | null): string {
  if (value === null) {
    return "";
  }
  if (typeof value === "string") {
    return value.toWellFormed();
  }
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return bytes.toString("utf8");
}

/** A tombstone is null. */
function base64(value: string | Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value).toString("base64");
}

/**
 * One record as a plain object, its members in the contract's order. The contract's plain strings damage a value that is
 * not UTF-8, and make a tombstone look like an empty value: such a record also carries `valueBase64` (null for a tombstone).
 */
export function recordMessage(
  topic: string,
  partition: number,
  { offset, timestamp, key, value, headers: stored }: StoredRecord,
  encoding: ValueEncoding,
): RecordMessage {
  const headers = stored.map((header) => ({ key: text(header.key), value: text(header.value) }));
  if (encoding === "base64") {
    return { topic, partition, offset, timestamp, key: text(key), value: base64(value), headers };
  }
  const written = text(value);
  const message: RecordMessage = { topic, partition, offset, timestamp, key: text(key), value: written, headers };
  const isWhole = typeof value === "string" || (value !== null && (!written.includes(REPLACEMENT) || isUtf8(value)));
  if (!isWhole) {
    message.valueBase64 = base64(value);
  }
  return message;
}

/** How every record of a partition begins. */
export function recordPrefix(topic: string, partition: number): string {
  return `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":`;
}
