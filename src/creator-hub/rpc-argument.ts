// Arguments of calls between objects. The caller may be older, newer, or broken: its schema decides what is read.
import { z } from "zod";

/** The argument as its schema reads it. Throws a `TypeError` that says what is wrong, as far as it crosses a call. */
export function parseArgument<T>(schema: z.ZodType<T>, argument: unknown): T {
  const result = schema.safeParse(argument);
  if (!result.success) {
    throw new TypeError(`malformed call: ${z.prettifyError(result.error).slice(0, 500)}`);
  }
  return result.data;
}
