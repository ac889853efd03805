// A record of the subscription, payment or moderation topic → the event for its creator's hub, or a refusal.
import type { z } from "zod";
import {
  moderationEventSchema,
  paymentEventSchema,
  subscriptionEventSchema,
  type TopicKind,
} from "../../contract/events.ts";
import type { RareEvent } from "../../contract/live-rpc.ts";
import { assertNever } from "../../runtime/assert-never.ts";
import type { LogRecord } from "../ports.ts";
import { parseObject, Rejected, rejectFields } from "./rejection.ts";

/** Topics whose events go to the hub one by one. */
export type RareKind = Exclude<TopicKind, "engagement">;

/** Older events are stored, not announced: yesterday's news must not pop up on an open dashboard. */
export const MAX_BROADCAST_AGE_MS = 24 * 3_600_000;

/**
 * Decodes one record of a rare topic. Never throws.
 * @param now wall time in ms; it decides only whether the event is still news
 */
export function decodeRare(kind: RareKind, record: LogRecord, now: number): RareEvent | Rejected {
  const object = parseObject(record.value);
  if (object instanceof Rejected) {
    return object;
  }
  const { offset } = record;
  const isNews = (event: { occurredAt: string }) => now - Date.parse(event.occurredAt) <= MAX_BROADCAST_AGE_MS;
  switch (kind) {
    case "subscription":
      return read(subscriptionEventSchema, object, (event) => ({ kind, offset, broadcast: isNews(event), event }));
    case "payment":
      return read(paymentEventSchema, object, (event) => ({ kind, offset, broadcast: isNews(event), event }));
    case "moderation":
      return read(moderationEventSchema, object, (event) => ({ kind, offset, broadcast: isNews(event), event }));
    default:
      return assertNever(kind);
  }
}

function read<Schema extends z.ZodType>(
  schema: Schema,
  object: Record<string, unknown>,
  wrap: (event: z.output<Schema>) => RareEvent,
): RareEvent | Rejected {
  const result = schema.safeParse(object);
  return result.success ? wrap(result.data) : rejectFields(result.error);
}
