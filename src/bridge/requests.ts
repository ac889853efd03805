// The bodies of the Upstash REST contract, parsed. Anything else is a 400 that says what was wrong.
import { z } from "zod";
import { badRequest } from "./errors.ts";

/** Kafka's rule for topic names. */
export const topicSchema = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, "not a topic name");
const partitionSchema = z.number().int().min(0).max(0x7fffffff);
const offsetSchema = z.number().int().min(0);
const timeoutSchema = z.coerce.number().int().min(0).nullish();
/** Positions of one fetch: each still gets ten of the records that an answer may have by default. */
const MOST_POSITIONS = 1_000;

const topicPartition = z.object({ topic: topicSchema, partition: partitionSchema });
const topicPartitionOffset = topicPartition.extend({ offset: offsetSchema });

/** A record to produce, where the path names its topic. */
const message = z.object({
  partition: partitionSchema.nullish(),
  timestamp: z.number().int().min(0).nullish(),
  key: z.string().nullish(),
  value: z.string().nullable(),
  headers: z.array(z.object({ key: z.string(), value: z.string() })).nullish(),
});
const messageWithTopic = message.extend({ topic: topicSchema });
export type Message = z.infer<typeof message>;

/** `/produce/{topic}`: one message or many. */
export const topicMessages = z.array(message).min(1);
/** `/produce`: messages of any topics. */
export const messages = z.array(messageWithTopic).min(1);

/** `/fetch`: one position at the top, several in a list, or both. */
export const fetchRequest = z
  .object({
    topic: topicSchema.optional(),
    partition: partitionSchema.default(0),
    offset: offsetSchema.default(0),
    topicPartitionOffsets: z.array(topicPartitionOffset).max(MOST_POSITIONS).default([]),
    timeout: timeoutSchema,
  })
  .transform(({ topic, partition, offset, topicPartitionOffsets, timeout }) => ({
    timeout,
    positions: topic === undefined ? topicPartitionOffsets : [{ topic, partition, offset }, ...topicPartitionOffsets],
  }));

/** `/offsets`, `/committed`: partitions. */
export const topicPartitions = z.array(topicPartition);
/** `/commit`: positions; none means what was last consumed. */
export const commitPositions = z.array(topicPartitionOffset);

/** `/consume`. */
export const consumeRequest = z
  .object({ topic: topicSchema.optional(), topics: z.array(topicSchema).default([]), timeout: timeoutSchema })
  .transform(({ topic, topics, timeout }) => ({
    timeout,
    topics: [...new Set(topic === undefined ? topics : [topic, ...topics])],
  }));

/** Parses a body; an absent one counts as no arguments. `as` list: a single object is a list of one. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    throw badRequest(describe(parsed.error));
  }
  return parsed.data;
}

/** A body that may be one thing or a list, as a list; nothing is an empty list. */
export function asList(body: unknown): unknown[] {
  return body === undefined ? [] : Array.isArray(body) ? body : [body];
}

/** The topic named by a path or a query. */
export function topicOf(name: string | undefined): string {
  const parsed = topicSchema.safeParse(name);
  if (!parsed.success) {
    throw badRequest("Invalid request: topic: not a topic name");
  }
  return parsed.data;
}

/** The `timeout` of a query string, in milliseconds. */
export function timeoutOf(query: string | undefined): number | undefined {
  return parseBody(timeoutSchema, query) ?? undefined;
}

function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  const path = issue?.path.join(".") ?? "";
  return `Invalid request: ${path === "" ? "body" : path}: ${issue?.message ?? "not understood"}`;
}
