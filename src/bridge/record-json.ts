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

/** The part of the object that is the same for every record of a partition. */
export function recordPrefix(topic: string, partition: number): string {
  return `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":`;
}

/** The bytes of a value as a JSON string of base64; a tombstone is null. */
function base64Json(value: string | Uint8Array | null): string {
  return value === null ? "null" : `"${Buffer.from(value).toString("base64")}"`;
}

/**
 * One record as JSON, without a line end. The contract's plain strings damage a value that is not UTF-8, and make a
 * tombstone look like an empty value: such a record also carries `valueBase64` (null for a tombstone).
 */
export function recordJson(prefix: string, record: StoredRecord, encoding: ValueEncoding): string {
  const { value } = record;
  const key = JSON.stringify(text(record.key));
  const headers =
    record.headers.length === 0
      ? "[]"
      : JSON.stringify(record.headers.map((header) => ({ key: text(header.key), value: text(header.value) })));
  const head = `${prefix}${record.offset},"timestamp":${record.timestamp},"key":${key},"value":`;
  if (encoding === "base64") {
    return `${head}${base64Json(value)},"headers":${headers}}`;
  }
  const written = text(value);
  const isWhole = typeof value === "string" || (value !== null && (!written.includes(REPLACEMENT) || isUtf8(value)));
  const bytes = isWhole ? "" : `,"valueBase64":${base64Json(value)}`;
  return `${head}${JSON.stringify(written)},"headers":${headers}${bytes}}`;
}
