// Arbitrary frames for the live client's tests, from the contract's own value ranges.
import * as fc from "fast-check";

const count = fc.nat({ max: 1_000_000 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

/** ISO 8601 in UTC. */
export const instant = fc
  .date({ min: new Date("2000-01-01T00:00:00Z"), max: new Date("2099-12-31T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString());

/** A few ids, so that frames meet the same item often. */
export const contentId = fc.constantFrom("cnt_01", "cnt_02", "cnt_03", "cnt:4.x-y");

export const totals = fc.record({
  liveViewers: maybe(count),
  views: maybe(count),
  likes: maybe(count),
  shares: maybe(count),
  completions: maybe(count),
  watchSeconds: maybe(fc.double({ min: 0, max: 1e12, noNaN: true })),
  items: maybe(count),
});

const alwaysThere = [
  "contentId",
  "isLive",
  "liveViewers",
  "peakViewers",
  "peakAt",
  "views",
  "likes",
  "shares",
  "completions",
  "watchSeconds",
  "since",
  "approximate",
] as const;

/** One item's numbers, with or without its minutes. */
export const content = fc.record(
  {
    contentId,
    isLive: fc.boolean(),
    liveViewers: maybe(count),
    peakViewers: maybe(count),
    peakAt: maybe(instant),
    views: count,
    likes: count,
    shares: count,
    completions: count,
    watchSeconds: fc.double({ min: 0, max: 1e12, noNaN: true }),
    since: instant,
    approximate: fc.boolean(),
    viewsPerMinute: fc.array(count, { maxLength: 60 }),
  },
  { requiredKeys: [...alwaysThere] },
);

const alert = fc.record({
  alertId: fc.string(),
  type: fc.constant("moderation.decision"),
  contentId,
  decision: fc.constantFrom("approved", "restricted", "removed", "demonetised", "reinstated"),
  reason: fc.string(),
  policyUrl: maybe(fc.webUrl()),
  appealBy: maybe(instant),
  decidedAt: instant,
});

const state = fc.constantFrom("live", "stale", "unavailable");
const reason = maybe(fc.constantFrom("starting", "reader_behind", "reader_stalled", "source_stopped", "gap"));
const envelope = { epoch: fc.string(), seq: count, at: instant };

/** Every frame of the protocol, as JSON would give it. */
export const frame: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.record(
    {
      type: fc.constant("welcome"),
      protocol: fc.constant("creator-live.v1"),
      connectionId: fc.string(),
      epoch: fc.string(),
      serverTime: instant,
      pingIntervalSeconds: fc.integer({ min: 1, max: 60 }),
      liveWindowSeconds: fc.integer({ min: 1, max: 60 }),
      receiptEveryCharacters: fc.integer({ min: 1 }),
    },
    {
      requiredKeys: [
        "type",
        "protocol",
        "connectionId",
        "epoch",
        "serverTime",
        "pingIntervalSeconds",
        "liveWindowSeconds",
      ],
    },
  ),
  fc.record({
    type: fc.constant("snapshot"),
    ...envelope,
    state,
    reason,
    asOf: maybe(instant),
    totals,
    content: fc.array(content, { maxLength: 3 }),
    subscribers: fc.record({ count: maybe(count), asOf: maybe(instant) }),
    revenue: fc.record({ version: count, lastPaymentAt: maybe(instant) }),
    alerts: fc.array(alert, { maxLength: 2 }),
  }),
  fc.record({
    type: fc.constant("metrics"),
    ...envelope,
    asOf: instant,
    totals,
    content: fc.array(content, { maxLength: 3 }),
    removed: fc.array(contentId, { maxLength: 2 }),
  }),
  fc.record({ type: fc.constant("status"), ...envelope, state, reason, asOf: maybe(instant) }),
  fc.record({ type: fc.constant("moderation.decision"), ...envelope, alert }),
  fc.record({
    type: fc.constant("subscribers"),
    ...envelope,
    count: maybe(count),
    change: fc.integer(),
    asOf: instant,
  }),
  fc.record({
    type: fc.constant("revenue.changed"),
    ...envelope,
    version: count,
    lastPaymentAt: instant,
    paymentId: fc.string(),
    kind: fc.constantFrom("ad", "subscription", "payout"),
    amountMinor: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }).map(String),
    currency: fc.constantFrom("NGN", "USD"),
  }),
  fc.record({
    type: fc.constant("payout-settings.changed"),
    ...envelope,
    changedAt: instant,
    lockedUntil: maybe(instant),
  }),
  fc.record({
    type: fc.constant("stream.ended"),
    ...envelope,
    contentId,
    summary: fc.record({
      startedAt: instant,
      endedAt: instant,
      peakViewers: count,
      peakAt: maybe(instant),
      averageViewers: count,
      uniqueSessions: count,
      watchSeconds: fc.double({ min: 0, max: 1e12, noNaN: true }),
      likes: fc.integer(),
      shares: count,
      subscribersGained: count,
      approximate: fc.boolean(),
    }),
  }),
);
