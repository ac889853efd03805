// What the driver hands over for Postgres's types, as schemas for rows. A value that does not fit makes the whole answer
// garbage.
import { z } from "zod";

/** `timestamptz`: the driver makes it a Date of whole milliseconds. In ISO 8601, UTC. */
export const timestampSchema = z.date().transform((instant) => instant.toISOString());

/** A count in `bigint`, which the driver leaves as text. */
export const countSchema = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number)
  .pipe(z.int());

/** A `date` cast to text, so that no zone can shift it. */
export const dateTextSchema = z.iso.date();
