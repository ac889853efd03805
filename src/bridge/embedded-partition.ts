// One partition of the embedded log: a row of segments, the newest open for appending, the oldest dropped by retention.
import { mkdir, readdir } from "node:fs/promises";
import { Segment, baseOffsetOf } from "./embedded-segment.ts";
import { offsetOutOfRange } from "./errors.ts";
import type { NewRecord, OffsetQuery, RecordMetadata, TopicPartition, ValueEncoding } from "./log.ts";
import { recordMessage, recordPrefix } from "./record-json.ts";
import type { RecordMessage, StoredRecord } from "./record-json.ts";

/** How much a partition keeps. */
export interface Retention {
  /** Records older than this many milliseconds go, whole segments at a time. */
  retentionMs: number;
  /** A partition larger than this many bytes loses its oldest segments. */
  retentionBytes: number;
  /** A segment that has reached this many bytes is closed, and a new one begun. */
  segmentBytes: number;
}

/** What a read gave: `count` JSON objects joined by commas. */
interface ReadRecords {
  count: number;
  records: Uint8Array;
}

const nothing: ReadRecords = { count: 0, records: new Uint8Array() };

/** Offsets, appends, reads and waiting readers of one partition. */
export class EmbeddedPartition {
  readonly #id: TopicPartition;
  readonly #folder: string;
  readonly #retention: Retention;
  readonly #prefix: string;
  readonly #segments: Segment[];
  #active: Segment;
  readonly #waiting = new Set<() => void>();
  /** Appends, rolls and retention follow each other; a read needs no turn. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(id: TopicPartition, folder: string, retention: Retention, segments: Segment[], active: Segment) {
    this.#id = id;
    this.#folder = folder;
    this.#retention = retention;
    this.#prefix = recordPrefix(id.topic, id.partition);
    this.#segments = segments;
    this.#active = active;
  }

  /** Opens the partition kept in the folder, or begins one there. */
  static async open(id: TopicPartition, folder: string, retention: Retention): Promise<EmbeddedPartition> {
    await mkdir(folder, { recursive: true });
    const prefix = recordPrefix(id.topic, id.partition);
    const bases = (await readdir(folder)).map(baseOffsetOf).filter((base) => base !== undefined);
    const segments: Segment[] = [];
    for (const base of bases.toSorted((a, b) => a - b)) {
      segments.push(await Segment.open(folder, base, prefix));
    }
    const active = segments.at(-1) ?? (await Segment.open(folder, 0, prefix));
    return new EmbeddedPartition(id, folder, retention, segments.length > 0 ? segments : [active], active);
  }

  /** The first offset that can be read. */
  get earliest(): number {
    return this.#segments[0]?.baseOffset ?? this.#active.baseOffset;
  }

  /** The offset the next record will get. */
  get latest(): number {
    return this.#active.endOffset;
  }

  /** Appends records in order, all or none, and wakes waiting readers. `now` is the timestamp of records without one. */
  append(records: readonly NewRecord[], now: number): Promise<RecordMetadata[]> {
    return this.#inTurn(async () => {
      if (this.#active.bytes >= this.#retention.segmentBytes) {
        await this.#roll();
      }
      const base = this.latest;
      const lines = records.map((record, i) => {
        const timestamp = record.timestamp ?? now;
        const { value, headers } = record;
        const stored = { offset: base + i, timestamp, key: record.key ?? null, value, headers };
        return { json: this.#json(stored, "utf8"), timestamp };
      });
      this.#active.append(lines);
      this.wake();
      return lines.map(({ timestamp }, i) => ({ ...this.#id, offset: base + i, timestamp }));
    });
  }

  /** Throws a 416 for an offset outside what is held; the latest offset is inside: its record is still to come. */
  checkOffset(offset: number): void {
    if (offset < this.earliest || offset > this.latest) {
      throw offsetOutOfRange(this.#id.topic, this.#id.partition, offset);
    }
  }

  /** Records from an offset on, within the bounds but at least one; none at the end. Throws a 416 out of range. */
  async read(offset: number, maxRecords: number, maxBytes: number, encoding: ValueEncoding): Promise<ReadRecords> {
    this.checkOffset(offset);
    const segment = this.#segments.findLast((each) => each.baseOffset <= offset && offset < each.endOffset);
    if (segment === undefined) {
      return nothing;
    }
    const read = await segment.read(offset, maxRecords, maxBytes);
    return encoding === "utf8" ? read : { count: read.count, records: this.#withBase64(read.records) };
  }

  /** The offset at a place or time; the latest where every record is older. */
  offsetAt(at: OffsetQuery): number {
    if (at === "earliest") {
      return this.earliest;
    }
    if (at === "latest") {
      return this.latest;
    }
    for (const segment of this.#segments) {
      const offset = segment.firstAtOrAfter(at);
      if (offset !== undefined) {
        return offset;
      }
    }
    return this.latest;
  }

  /** Calls back once something has changed: a record was appended, or the topic is going. Returns a way out. */
  onChange(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  /** Calls every waiting reader back. */
  wake(): void {
    for (const callback of this.#waiting) {
      callback();
    }
  }

  /** Drops segments that are too old at `now`, or that make the partition too large. */
  applyRetention(now: number): Promise<void> {
    return this.#inTurn(async () => {
      const { retentionMs, retentionBytes } = this.#retention;
      const oldest = now - retentionMs;
      if (this.#active.bytes > 0 && this.#active.maxTimestamp < oldest) {
        await this.#roll();
      }
      let bytes = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
      for (let first = this.#segments[0]; first !== undefined && first !== this.#active; first = this.#segments[0]) {
        if (first.maxTimestamp >= oldest && bytes <= retentionBytes) {
          return;
        }
        bytes -= first.bytes;
        this.#segments.shift();
        await first.remove();
      }
    });
  }

  /** Ends after the appends under way. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#active.saveIndex();
      await Promise.all(this.#segments.map((segment) => segment.close()));
    });
  }

  /** Closes the files of a topic that is being deleted. */
  abandon(): Promise<void> {
    return this.#inTurn(async () => {
      await Promise.all(this.#segments.map((segment) => segment.close()));
    });
  }

  async #roll(): Promise<void> {
    const next = await Segment.open(this.#folder, this.latest, this.#prefix);
    await this.#active.saveIndex();
    this.#segments.push(next);
    this.#active = next;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** The same records with base64 values; the file holds what {@link recordMessage} made, so its shape is known. */
  #withBase64(records: Uint8Array): Uint8Array {
    const parsed = JSON.parse(`[${Buffer.from(records).toString()}]`) as RecordMessage[];
    const lines = parsed.map(({ valueBase64, ...record }) => {
      const value = valueBase64 === undefined ? record.value : valueBase64 && Buffer.from(valueBase64, "base64");
      return this.#json({ ...record, value }, "base64");
    });
    return Buffer.from(lines.join(","));
  }

  #json(record: StoredRecord, encoding: ValueEncoding): string {
    return JSON.stringify(recordMessage(this.#id.topic, this.#id.partition, record, encoding));
  }
}
