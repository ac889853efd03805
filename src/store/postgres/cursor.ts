// Keyset cursors: the sort key and the id of the last item of a page, as text of our own making. A client may forge one;
// all it can reach is another place in its own list, because every part is checked and bound as a parameter.
import { z } from "zod";

/** A cursor that is none of ours, or that belongs to another order. */
export class CursorError extends Error {
  override readonly name = "CursorError";
}

/** Where a page ended. `key` is the sort key's Postgres text. */
export interface Position {
  readonly key: string;
  readonly id: string;
}

// Postgres takes no NUL and no half of a surrogate pair in a text.
const text = z.string().refine((value) => value.isWellFormed() && !value.includes("\0"));
const cursorSchema = z.tuple([z.string(), text, text]);

/** The cursor after a position in the list of this name and order. */
export function encodeCursor(order: string, { key, id }: Position): string {
  const bytes = new TextEncoder().encode(JSON.stringify([order, key, id]));
  return btoa(Array.from(bytes, (byte) => String.fromCodePoint(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/**
 * The position that a cursor of this order names.
 * @param key what a sort key of this order looks like
 * @throws CursorError
 */
export function decodeCursor(order: string, key: RegExp, cursor: string): Position {
  const parsed = cursorSchema.safeParse(decodeJson(cursor));
  if (!parsed.success) {
    throw new CursorError("is not a cursor of this list");
  }
  const [itsOrder, itsKey, id] = parsed.data;
  if (itsOrder !== order || !key.test(itsKey)) {
    throw new CursorError("belongs to another order of the list");
  }
  return { key: itsKey, id };
}

function decodeJson(cursor: string): unknown {
  try {
    const binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.codePointAt(0) ?? 0);
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
