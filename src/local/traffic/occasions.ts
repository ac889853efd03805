// What happens besides watching: people subscribe and leave, money moves, the platform decides about an item.
import type { TopicKind } from "../../contract/events.ts";
import type { PlayableCreator } from "./repertoire.ts";
import type { Random } from "./random.ts";

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

/** Mean time between two of a kind over all creators: ours, so that a demonstration shows each within minutes. */
const PAYMENT_EVERY_MS = 45 * SECOND_MS;
const MODERATION_EVERY_MS = 240 * SECOND_MS;
/** Subscription changes per event of the audience, and how many of them leave. */
const SUBSCRIPTIONS_PER_EVENT = 0.012;
const UNSUBSCRIBED_CHANCE = 0.14;
/** The demo creator, whose dashboard is looked at, gets this part of everything. */
const DEMO_CHANCE = 0.4;
const APPEAL_DAYS = 14;

/** Decisions with the words a creator would read. */
const decisions = [
  { decision: "approved", reason: "Reviewed after a report; no rule was broken." },
  { decision: "restricted", reason: "Shown to adults only: contains strong language." },
  { decision: "demonetised", reason: "Advertising is off: contains music that another rights holder claims." },
  { decision: "reinstated", reason: "Your appeal was accepted." },
  { decision: "removed", reason: "Shows a private person without consent." },
] as const;

/** The subscriber count of each creator as its owner keeps it. */
export interface SubscriberCounts {
  /** The count after one more change; null while nobody has said where it stood. */
  change(creatorId: string, by: 1 | -1): number | null;
}

/** One event without its id. */
export interface Occasion {
  readonly kind: Exclude<TopicKind, "engagement">;
  readonly key: string;
  readonly at: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What happened after `from` up to `until`. The first of `creators` is the demo creator. */
export function occasionsBetween(
  random: Random,
  options: {
    from: number;
    until: number;
    creators: readonly PlayableCreator[];
    counts: SubscriberCounts;
    rate: number;
  },
): Occasion[] {
  const { from, until, counts, rate } = options;
  const elapsed = until - from;
  const draw = (mean: number, make: (creator: PlayableCreator, at: number) => Occasion): Occasion[] =>
    Array.from({ length: random.poisson(mean) }, () => from + Math.ceil(random.next() * elapsed))
      .toSorted((a, b) => a - b)
      .map((at) => make(chooseCreator(random, options.creators), at));
  return [
    ...draw((elapsed / SECOND_MS) * rate * SUBSCRIPTIONS_PER_EVENT, (creator, at) =>
      subscription(random, creator, at, counts),
    ),
    ...draw(elapsed / PAYMENT_EVERY_MS, (creator, at) => payment(random, creator, at)),
    ...draw(elapsed / MODERATION_EVERY_MS, (creator, at) => moderation(random, creator, at)),
  ];
}

function chooseCreator(random: Random, creators: readonly PlayableCreator[]): PlayableCreator {
  const [demo, ...others] = creators;
  return demo && (others.length === 0 || random.chance(DEMO_CHANCE))
    ? demo
    : random.weighted(others, (creator) => creator.popularity);
}

function subscription(random: Random, creator: PlayableCreator, at: number, counts: SubscriberCounts): Occasion {
  const leaves = random.chance(UNSUBSCRIBED_CHANCE);
  const { creatorId } = creator;
  const subscriberCount = counts.change(creatorId, leaves ? -1 : 1);
  return {
    kind: "subscription",
    key: creatorId,
    at,
    fields: {
      creatorId,
      change: leaves ? "unsubscribed" : "subscribed",
      ...(subscriberCount === null ? {} : { subscriberCount }),
      occurredAt: new Date(at).toISOString(),
    },
  };
}

/** An ad settlement or a subscription share: 300 to 9,000 naira, or 50 cents to 25 dollars, in minor units. */
function payment(random: Random, creator: PlayableCreator, at: number): Occasion {
  const { creatorId } = creator;
  const inNaira = random.chance(0.75);
  const item = random.weighted(creator.items, () => 1);
  return {
    kind: "payment",
    key: creatorId,
    at,
    fields: {
      paymentId: `pay.${at.toString(36)}.${random.between(0, 2 ** 30).toString(36)}`,
      creatorId,
      kind: random.chance(0.7) ? "ad" : "subscription",
      amountMinor: String(inNaira ? random.between(30_000, 900_000) : random.between(50, 2_500)),
      currency: inNaira ? "NGN" : "USD",
      contentId: item.contentId,
      occurredAt: new Date(at).toISOString(),
    },
  };
}

function moderation(random: Random, creator: PlayableCreator, at: number): Occasion {
  const { creatorId } = creator;
  const { decision, reason } = random.weighted(decisions, () => 1);
  const appealable = decision !== "approved" && decision !== "reinstated";
  return {
    kind: "moderation",
    key: creatorId,
    at,
    fields: {
      decisionId: `dec.${at.toString(36)}.${random.between(0, 2 ** 30).toString(36)}`,
      creatorId,
      contentId: random.weighted(creator.items, () => 1).contentId,
      decision,
      reason,
      policyUrl: "https://policies.example/creators",
      appealBy: appealable ? new Date(at + APPEAL_DAYS * DAY_MS).toISOString() : null,
      occurredAt: new Date(at).toISOString(),
    },
  };
}
