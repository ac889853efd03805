// The version of the settings as an entity tag, and preconditions on it (RFC 9110 §8.8.3, §13.1.1).
import { z } from "zod";
import { invalidParameter, Problem } from "../problem.ts";

/** The response header that goes with an answer. */
export const etagHeaderSchema = z.object({
  ETag: z.string().meta({ description: "The settings' version, quoted: what If-Match expects.", examples: ['"3"'] }),
});

const ENTITY_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/;
const ENTITY_TAGS = new RegExp(`^${ENTITY_TAG.source}(?:[ \\t]*,[ \\t]*${ENTITY_TAG.source})*$`);

/** A strong tag: two answers with the same one are the same. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * The versions that an `If-Match` header names; undefined when there is no header. Weak tags never match, so they name
 * none.
 * @throws Problem 400 when it is malformed, 428 for `*`, which would match a version that the client has never seen
 */
export function versionsIn(ifMatch: string | undefined): string[] | undefined {
  if (ifMatch === undefined) {
    return undefined;
  }
  if (ifMatch.trim() === "*") {
    throw new Problem("precondition_required", "If-Match must name the version that was read, not *.");
  }
  if (!ENTITY_TAGS.test(ifMatch.trim())) {
    throw invalidParameter([{ parameter: "If-Match", message: 'expected an entity tag such as "3"' }]);
  }
  const tags = ifMatch.match(new RegExp(ENTITY_TAG, "g")) ?? [];
  return tags.filter((tag) => !tag.startsWith("W/")).map((tag) => tag.slice(1, -1));
}
