// Writing and reading the bytes of a checkpoint: numbers of varying length, texts and columns.

/** The most bytes of a part: a row of a Durable Object holds 2 MB, and noise does not shrink when compressed. */
export const PART_BYTES = 1_048_576;

/** Writes into parts of at most `PART_BYTES`, so that a large state is copied once and never moved. */
export class ByteWriter {
  readonly #full: Uint8Array[] = [];
  #part = new Uint8Array(PART_BYTES);
  #length = 0;
  readonly #encoder = new TextEncoder();
  readonly #float = new Float64Array(1);
  readonly #floatBytes = new Uint8Array(this.#float.buffer);

  /** A non-negative integer up to 2^53, seven bits a byte. */
  integer(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.#byte(rest);
  }

  /** Any number, eight bytes. */
  float(value: number): void {
    this.#float[0] = value;
    this.raw(this.#floatBytes);
  }

  text(text: string): void {
    const bytes = this.#encoder.encode(text);
    this.integer(bytes.length);
    this.raw(bytes);
  }

  /** Bytes whose number the reader knows. */
  raw(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#length === PART_BYTES) {
        this.#nextPart();
      }
      const piece =
        at === 0 && bytes.length <= PART_BYTES - this.#length
          ? bytes
          : bytes.subarray(at, at + PART_BYTES - this.#length);
      this.#part.set(piece, this.#length);
      this.#length += piece.length;
      at += piece.length;
    }
  }

  /** A column of 32-bit numbers whose number the reader knows. */
  words(column: Uint32Array): void {
    this.raw(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }

  /** All that was written; the writer is not to be used any more. */
  finish(): Uint8Array[] {
    return [...this.#full, this.#part.subarray(0, this.#length)];
  }

  #byte(value: number): void {
    if (this.#length === PART_BYTES) {
      this.#nextPart();
    }
    this.#part[this.#length++] = value;
  }

  #nextPart(): void {
    this.#full.push(this.#part);
    this.#part = new Uint8Array(PART_BYTES);
    this.#length = 0;
  }
}

/** Reads what a `ByteWriter` wrote. Throws RangeError past the end of the bytes. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(parts: readonly Uint8Array[]) {
    this.#bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      this.#bytes.set(part, at);
      at += part.length;
    }
  }

  integer(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined || scale > Number.MAX_SAFE_INTEGER) {
        throw new RangeError("checkpoint ends within a number");
      }
      value += (byte & 127) * scale;
      if (byte < 128) {
        return value;
      }
      scale *= 128;
    }
  }

  float(): number {
    return new Float64Array(this.#copy(8).buffer)[0] ?? 0;
  }

  text(): string {
    return this.#decoder.decode(this.raw(this.integer()));
  }

  raw(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) {
      throw new RangeError("checkpoint is cut off");
    }
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  words(count: number): Uint32Array {
    return new Uint32Array(this.#copy(count * 4).buffer);
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw new RangeError("checkpoint is longer than it should be");
    }
  }

  /** A copy of its own, so that a column starts at a multiple of its width. */
  #copy(length: number): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(length);
    copy.set(this.raw(length));
    return copy;
  }
}
