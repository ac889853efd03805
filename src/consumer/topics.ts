// Which topics are read, and what each one holds.
import type { TopicKind } from "../contract/events.ts";

/** Topic names as configured. */
export type TopicNames = Record<TopicKind, string>;

/** The configured names of the four topics. */
export function topicNames(
  env: Pick<ConsumerEnv, "TOPIC_ENGAGEMENT" | "TOPIC_SUBSCRIPTION" | "TOPIC_PAYMENT" | "TOPIC_MODERATION">,
): TopicNames {
  return {
    engagement: env.TOPIC_ENGAGEMENT,
    subscription: env.TOPIC_SUBSCRIPTION,
    payment: env.TOPIC_PAYMENT,
    moderation: env.TOPIC_MODERATION,
  };
}

/** What a topic holds; undefined for one that is not read. */
export function kindOf(names: TopicNames, topic: string): TopicKind | undefined {
  switch (topic) {
    case names.engagement:
      return "engagement";
    case names.subscription:
      return "subscription";
    case names.payment:
      return "payment";
    case names.moderation:
      return "moderation";
    default:
      return undefined;
  }
}
