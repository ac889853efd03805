// What ClickHouse's JSON holds for its types, as schemas for rows. A value that does not fit makes the whole answer
// garbage. 64-bit numbers come as text, smaller ones as numbers.
import { z } from "zod";

/** `UInt64` that counts something: exact, or no answer. */
export const countColumn = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number)
  .pipe(z.int());

/** `Int64` that counts something and may be below 0. */
export const signedCountColumn = z
  .string()
  .regex(/^-?\d{1,16}$/)
  .transform(Number)
  .pipe(z.int());

/** `UInt32` seconds since the Unix epoch, in milliseconds. */
export const instantColumn = z
  .int()
  .min(0)
  .transform((seconds) => seconds * 1_000);
