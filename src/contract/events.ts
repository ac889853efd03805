// The four Kafka topics' events. Values are JSON in UTF-8, keyed by creatorId. Unknown fields are ignored; a type we
// do not know is skipped and counted; anything else that does not fit is a dead letter.
import { z } from "zod";
import { contentIdSchema, creatorIdSchema, foreignIdSchema } from "./ids.ts";
import { currencySchema } from "./money.ts";

const instantSchema = z.iso.datetime({ offset: true });

/** `user.engagement.events`: what one viewing session did. */
export const engagementTypes = [
  "view.started",
  "view.heartbeat",
  "view.ended",
  "view.completed",
  "like.added",
  "like.removed",
  "share.created",
] as const;
export type EngagementType = (typeof engagementTypes)[number];

/** Devices as producers name them. */
export const deviceSchema = z.enum(["mobile", "desktop", "tv", "tablet", "other"]);

/** One engagement event. `watchSeconds` counts since the session's last beat. */
export const engagementEventSchema = z.object({
  eventId: foreignIdSchema,
  type: z.enum(engagementTypes),
  contentId: contentIdSchema,
  creatorId: creatorIdSchema,
  sessionId: foreignIdSchema,
  occurredAt: instantSchema,
  watchSeconds: z.number().min(0).max(86_400).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
  device: deviceSchema.optional(),
  isLive: z.boolean().optional(),
});
export type EngagementEvent = z.infer<typeof engagementEventSchema>;

/** `engagement.subscription.changed`: someone subscribed or left. `subscriberCount` is the owner's count afterwards. */
export const subscriptionEventSchema = z.object({
  eventId: foreignIdSchema,
  creatorId: creatorIdSchema,
  change: z.enum(["subscribed", "unsubscribed"]),
  subscriberCount: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  occurredAt: instantSchema,
});
export type SubscriptionEvent = z.infer<typeof subscriptionEventSchema>;

/** `payment.processed`: money that moved. An integer of minor units, as a JSON integer or a decimal string. */
export const paymentEventSchema = z.object({
  eventId: foreignIdSchema,
  paymentId: foreignIdSchema,
  creatorId: creatorIdSchema,
  kind: z.enum(["ad", "subscription", "payout"]),
  amountMinor: z.union([z.int(), z.string().regex(/^-?\d{1,19}$/)]).transform((amount) => String(amount)),
  currency: currencySchema,
  contentId: contentIdSchema.optional(),
  occurredAt: instantSchema,
});
export type PaymentEvent = z.infer<typeof paymentEventSchema>;

/** `moderation.decision.made`: what the platform decided about an item. */
export const moderationEventSchema = z.object({
  eventId: foreignIdSchema,
  decisionId: foreignIdSchema,
  creatorId: creatorIdSchema,
  contentId: contentIdSchema,
  decision: z.enum(["approved", "restricted", "removed", "demonetised", "reinstated"]),
  reason: z.string().max(4_000),
  policyUrl: z.url({ protocol: /^https?$/ }).nullish(),
  appealBy: instantSchema.nullish(),
  occurredAt: instantSchema,
});
export type ModerationEvent = z.infer<typeof moderationEventSchema>;

/** Topic names unless the configuration gives others. */
export const defaultTopics = {
  engagement: "user.engagement.events",
  subscription: "engagement.subscription.changed",
  payment: "payment.processed",
  moderation: "moderation.decision.made",
} as const;
export type TopicKind = keyof typeof defaultTopics;
