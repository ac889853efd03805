// Checkpoint slices through the runtime's own gzip, whose checksum tells damage.
import type { Compressor } from "../ports.ts";

/** Collects a stream; throws RangeError when it becomes longer than `maxBytes`. */
async function collect(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    length += part.length;
    if (length > maxBytes) {
      throw new RangeError(`more than ${maxBytes} bytes`);
    }
    parts.push(part);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A copy that is not shared: what the streams of the runtime take. */
const body = (bytes: Uint8Array) => new Blob([new Uint8Array(bytes)]).stream();

/** gzip by the Compression Streams of the web platform: the same in workerd and in Node. */
export const gzip: Compressor = {
  compress: (bytes) => collect(body(bytes).pipeThrough(new CompressionStream("gzip")), Infinity),
  decompress: (bytes, maxBytes) => collect(body(bytes).pipeThrough(new DecompressionStream("gzip")), maxBytes),
};
