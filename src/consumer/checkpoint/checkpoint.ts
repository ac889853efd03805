// A state as the slices of a checkpoint: copied at one instant, compressed afterwards while the fold goes on.
import type { FoldLimits, FoldState } from "../fold/fold-state.ts";
import type { Compressor } from "../ports.ts";
import { PART_BYTES } from "./bytes.ts";
import { decodeFold, encodeFold } from "./fold-codec.ts";

/** Copies the state now; the returned function compresses the copy, slice by slice. */
export function copyState(state: FoldState): (compressor: Compressor) => Promise<Uint8Array[]> {
  const parts = encodeFold(state);
  return async (compressor) => {
    const slices: Uint8Array[] = [];
    for (const part of parts) {
      slices.push(await compressor.compress(part));
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
    parts.push(await compressor.decompress(slice, PART_BYTES));
  }
  return decodeFold(parts, limits);
}
