// One file of an embedded partition: records as lines of JSON, each ending in a comma, so that any run of them is already
// the inside of a JSON array. Appends are one write to the page cache: they survive the process, not the machine.
import { ftruncateSync, readSync, writeSync } from "node:fs";
import { open, readFile, rm, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";

/** What stands between two records in the file: the comma of the array, and the line end that recovery looks for. */
const SEPARATOR_BYTES = 2;
const LINE_END = 0x0a;
const COMMA = 0x2c;
/** Up to this many bytes a read is done at once; the tail of a log is in the page cache, and a thread hop costs more. */
const READ_AT_ONCE_BYTES = 64 * 1024;
const SCAN_BYTES = 4 * 1024 * 1024;
/** What follows the prefix of a record's line, and the most bytes it takes: two numbers of at most 16 digits. */
const LINE_HEAD = /^(\d+),"timestamp":(\d+),/;
const HEAD_BYTES = 48;

/** A line to append: a record's JSON and its timestamp. */
export interface Line {
  json: string;
  timestamp: number;
}

/** Offsets as file names, 20 digits as in Kafka's own log folders. */
const fileName = (baseOffset: number, suffix: string) => `${String(baseOffset).padStart(20, "0")}${suffix}`;

/** The base offset of a segment file's name; undefined for any other file. */
export function baseOffsetOf(name: string): number | undefined {
  const match = /^(\d{20})\.log$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** A run of records in one append-only file, with their positions and timestamps in memory. */
export class Segment {
  readonly baseOffset: number;
  readonly #folder: string;
  readonly #file: FileHandle;
  #positions = new Uint32Array(1024);
  #timestamps = new Float64Array(1024);
  #count = 0;
  #bytes = 0;
  #maxTimestamp = -1;

  private constructor(folder: string, baseOffset: number, file: FileHandle) {
    this.#folder = folder;
    this.baseOffset = baseOffset;
    this.#file = file;
  }

  /**
   * Opens or creates the segment. A last line that a killed process left unfinished is cut off.
   * @param prefix what every record of the partition begins with
   */
  static async open(folder: string, baseOffset: number, prefix: string): Promise<Segment> {
    const file = await open(join(folder, fileName(baseOffset, ".log")), "a+");
    const segment = new Segment(folder, baseOffset, file);
    if (!(await segment.#loadIndex())) {
      await segment.#scan(prefix);
    }
    return segment;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The offset behind the last record. */
  get endOffset(): number {
    return this.baseOffset + this.#count;
  }

  /** Milliseconds; -1 while empty. */
  get maxTimestamp(): number {
    return this.#maxTimestamp;
  }

  /** Appends all lines or, where the disk refuses, none. Throws the file system's error. */
  append(lines: readonly Line[]): void {
    const chunks: Buffer[] = [];
    const lengths: number[] = [];
    for (const { json } of lines) {
      const chunk = Buffer.from(`${json},\n`);
      chunks.push(chunk);
      lengths.push(chunk.length);
    }
    const all = Buffer.concat(chunks);
    try {
      for (let written = 0; written < all.length;) {
        written += writeSync(this.#file.fd, all, written);
      }
    } catch (error) {
      ftruncateSync(this.#file.fd, this.#bytes);
      throw error;
    }
    lines.forEach(({ timestamp }, i) => {
      this.#add(this.#bytes, timestamp);
      this.#bytes += lengths[i] ?? 0;
    });
  }

  /** The record range from `offset` that stays within the bounds; at least one record. */
  async read(offset: number, maxRecords: number, maxBytes: number): Promise<{ count: number; records: Uint8Array }> {
    const first = offset - this.baseOffset;
    const start = this.#position(first);
    let last = Math.min(this.#count, first + maxRecords);
    while (last > first + 1 && this.#position(last) - start > maxBytes) {
      // Bisect: positions rise, and most reads fit at once.
      last = this.#lastWithin(first, last, start + maxBytes);
    }
    const length = this.#position(last) - start - SEPARATOR_BYTES;
    const records = Buffer.allocUnsafe(length);
    if (length <= READ_AT_ONCE_BYTES) {
      readSync(this.#file.fd, records, 0, length, start);
    } else {
      await this.#file.read(records, 0, length, start);
    }
    return { count: last - first, records };
  }

  /** The first offset whose timestamp is at or after the time; undefined when there is none. */
  firstAtOrAfter(timestamp: number): number | undefined {
    if (this.#maxTimestamp < timestamp) {
      return undefined;
    }
    const index = this.#timestamps.subarray(0, this.#count).findIndex((each) => each >= timestamp);
    return index < 0 ? undefined : this.baseOffset + index;
  }

  /** Writes the index beside the records, so that the next start need not read them; the segment is full, or closing. */
  async saveIndex(): Promise<void> {
    const header = new Float64Array([this.#count, this.#bytes]);
    const parts = [header, this.#timestamps.subarray(0, this.#count), this.#positions.subarray(0, this.#count)];
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)));
    await writeFile(join(this.#folder, fileName(this.baseOffset, ".index")), bytes);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Removes the files. */
  async remove(): Promise<void> {
    await this.close();
    await rm(join(this.#folder, fileName(this.baseOffset, ".index")), { force: true });
    await rm(join(this.#folder, fileName(this.baseOffset, ".log")), { force: true });
  }

  #position(index: number): number {
    return index < this.#count ? (this.#positions[index] ?? 0) : this.#bytes;
  }

  /** The greatest end index above `first` whose records end at or before the position; `first + 1` at least. */
  #lastWithin(first: number, last: number, end: number): number {
    let low = first + 1;
    let high = last;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#position(middle) <= end) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  #add(position: number, timestamp: number): void {
    if (this.#count === this.#positions.length) {
      const positions = new Uint32Array(this.#count * 2);
      positions.set(this.#positions);
      this.#positions = positions;
      const timestamps = new Float64Array(this.#count * 2);
      timestamps.set(this.#timestamps);
      this.#timestamps = timestamps;
    }
    this.#positions[this.#count] = position;
    this.#timestamps[this.#count] = timestamp;
    this.#count += 1;
    this.#maxTimestamp = Math.max(this.#maxTimestamp, timestamp);
  }

  /** Takes the index file where it describes exactly the file that is there. */
  async #loadIndex(): Promise<boolean> {
    const path = join(this.#folder, fileName(this.baseOffset, ".index"));
    const bytes = await readFile(path).catch(() => undefined);
    const { size } = await this.#file.stat();
    if (bytes === undefined || bytes.length < 16) {
      return false;
    }
    const [count = 0, logBytes = 0] = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 16));
    if (logBytes !== size || bytes.length !== 16 + count * 12) {
      return false;
    }
    const from = bytes.byteOffset + 16;
    this.#timestamps = new Float64Array(bytes.buffer.slice(from, from + count * 8));
    this.#positions = new Uint32Array(bytes.buffer.slice(from + count * 8, from + count * 12));
    this.#count = count;
    this.#bytes = size;
    this.#maxTimestamp = this.#timestamps.reduce((most, each) => Math.max(most, each), -1);
    return true;
  }

  /** Rebuilds the index from the records, and cuts the file behind the last whole one. */
  async #scan(prefix: string): Promise<void> {
    const { size } = await this.#file.stat();
    let rest = Buffer.alloc(0);
    let readTo = 0;
    scan: while (readTo < size) {
      const chunk = Buffer.allocUnsafe(Math.min(SCAN_BYTES, size - readTo));
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, readTo);
      readTo += bytesRead;
      rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      let from = 0;
      for (let end = rest.indexOf(LINE_END); end >= 0; end = rest.indexOf(LINE_END, from)) {
        const line = rest.toString("utf8", from, Math.min(end, from + prefix.length + HEAD_BYTES));
        const match = line.startsWith(prefix) ? LINE_HEAD.exec(line.slice(prefix.length)) : null;
        if (match === null || Number(match[1]) !== this.endOffset || rest[end - 1] !== COMMA) {
          break scan;
        }
        this.#add(this.#bytes, Number(match[2]));
        this.#bytes += end + 1 - from;
        from = end + 1;
      }
      rest = rest.subarray(from);
    }
    if (this.#bytes < size) {
      await this.#file.truncate(this.#bytes);
    }
  }
}
