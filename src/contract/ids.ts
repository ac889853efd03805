// Identifiers at the borders. Raw strings become ids here and nowhere else.
import { z } from "zod";

/** Letters, digits and `_ - . :`, so that an id is safe in a key, a path, a log line and a tag; 128 is our own bound. */
export const idPattern = /^[A-Za-z0-9_.:-]{1,128}$/;

/** A creator: the `sub` of their token and the key of their Kafka records. */
export const creatorIdSchema = z.string().regex(idPattern).brand<"CreatorId">();
export type CreatorId = z.infer<typeof creatorIdSchema>;

/** A piece of content: a video or a live stream. */
export const contentIdSchema = z.string().regex(idPattern).brand<"ContentId">();
export type ContentId = z.infer<typeof contentIdSchema>;

/** An identifier that another service gave: an event, a session, a payment, a decision. */
export const foreignIdSchema = z.string().min(1).max(256);

/** One topic-partition as `topic:partition`: the name of a reader and the key of its contribution to a hub. */
export const sourceSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,249}:\d{1,6}$/)
  .brand<"Source">();
export type Source = z.infer<typeof sourceSchema>;

/** The source name of a topic-partition. */
export function sourceOf(topic: string, partition: number): Source {
  return sourceSchema.parse(`${topic}:${partition}`);
}

/** The topic and partition of a source name. */
export function splitSource(source: Source): { topic: string; partition: number } {
  const colon = source.lastIndexOf(":");
  return { topic: source.slice(0, colon), partition: Number(source.slice(colon + 1)) };
}
