// A state as the slices of a checkpoint: copied at one instant, compressed afterwards while the fold goes on.
import type { FoldLimits, FoldState } from "../fold/fold-state.ts";
import type { Compressor } from "../ports.ts";
import { decodeFold, encodeFold } from "./fold-codec.ts";

/** A slice before compression, at most 1 MiB: a row of a Durable Object holds 2 MB, and noise does not shrink. */
const SLICE_BYTES = 1_048_576;

/** Copies the state now; the returned function compresses the copy, slice by slice. */
export function copyState(state: FoldState): (compressor: Compressor) => Promise<Uint8Array[]> {
  const bytes = encodeFold(state);
  return async (compressor) => {
    const slices: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      slices.push(await compressor.compress(bytes.subarray(at, at + SLICE_BYTES)));
    }
    return slices;
  };
}

/** The state in a checkpoint's slices. Throws when they are damaged or of another format. */
export async function restoreState(
  slices: readonly Uint8Array[],
  compressor: Compressor,
  limits: FoldLimits,
): Promise<FoldState> {
  const parts: Uint8Array[] = [];
  for (const slice of slices) {
    parts.push(await compressor.decompress(slice, SLICE_BYTES));
  }
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return decodeFold(bytes, limits);
}
