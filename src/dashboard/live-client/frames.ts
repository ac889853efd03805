// The frames of `creator-live.v1`, checked without a schema library. They accept and give exactly what the service's
// schemas in src/contract/live-frames.ts do (a property test holds the two together); only types are imported.
import type { ContentId } from "../../contract/ids.ts";
import type { ServerFrame } from "../../contract/live-frames.ts";
import {
  flag,
  integer,
  list,
  Misshapen,
  nullable,
  number,
  object,
  objectWith,
  oneOf,
  text,
  type Shape,
} from "./shape.ts";

/** The subprotocol of the live socket. */
export const LIVE_PROTOCOL = "creator-live.v1";
/** Prefix of the subprotocol that carries the token. */
export const BEARER_PROTOCOL_PREFIX = "bearer.";

// Shape and calendar, so that 30 February is refused: the same set of strings as ISO 8601 in UTC with seconds.
const instantPattern = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?Z$/;

function isInstant(value: string): boolean {
  const parts = instantPattern.exec(value);
  if (!parts) {
    return false;
  }
  const [year, month, day] = parts.slice(1, 4).map(Number) as [number, number, number]; // three groups of digits
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

const instant = text(isInstant, "an ISO 8601 instant in UTC");
const count = integer(0);
const watchSeconds = number(0);
// The pattern is the brand's whole meaning, so a string that fits is a ContentId.
const contentId = text((value) => /^[A-Za-z0-9_.:-]{1,128}$/.test(value), "a content id") as Shape<ContentId>;

const state = oneOf("live", "stale", "unavailable");
const reason = nullable(oneOf("starting", "reader_behind", "reader_stalled", "source_stopped", "gap"));

const totals = object({
  liveViewers: nullable(count),
  views: nullable(count),
  likes: nullable(count),
  shares: nullable(count),
  completions: nullable(count),
  watchSeconds: nullable(watchSeconds),
  items: nullable(count),
});

const content = objectWith(
  {
    contentId,
    isLive: flag,
    liveViewers: nullable(count),
    peakViewers: nullable(count),
    peakAt: nullable(instant),
    views: count,
    likes: count,
    shares: count,
    completions: count,
    watchSeconds,
    since: instant,
    approximate: flag,
  },
  { viewsPerMinute: list(count, 60) },
);

const alert = object({
  alertId: text(),
  type: oneOf("moderation.decision"),
  contentId,
  decision: oneOf("approved", "restricted", "removed", "demonetised", "reinstated"),
  reason: text(),
  policyUrl: nullable(text()),
  appealBy: nullable(instant),
  decidedAt: instant,
});

const summary = object({
  startedAt: instant,
  endedAt: instant,
  peakViewers: count,
  peakAt: nullable(instant),
  averageViewers: count,
  uniqueSessions: count,
  watchSeconds,
  likes: integer(),
  shares: count,
  subscribersGained: count,
  approximate: flag,
});

const envelope = { epoch: text(), seq: count, at: instant };

const shapes: { [Type in ServerFrame["type"]]: Shape<Extract<ServerFrame, { type: Type }>> } = {
  welcome: objectWith(
    {
      type: oneOf("welcome"),
      protocol: oneOf(LIVE_PROTOCOL),
      connectionId: text(),
      epoch: text(),
      serverTime: instant,
      pingIntervalSeconds: number(),
      liveWindowSeconds: number(),
    },
    { receiptEveryCharacters: integer(1) },
  ),
  snapshot: object({
    type: oneOf("snapshot"),
    ...envelope,
    state,
    reason,
    asOf: nullable(instant),
    totals,
    content: list(content),
    subscribers: object({ count: nullable(count), asOf: nullable(instant) }),
    revenue: object({ version: count, lastPaymentAt: nullable(instant) }),
    alerts: list(alert),
  }),
  metrics: object({
    type: oneOf("metrics"),
    ...envelope,
    asOf: instant,
    totals,
    content: list(content),
    removed: list(contentId),
  }),
  status: object({ type: oneOf("status"), ...envelope, state, reason, asOf: nullable(instant) }),
  "moderation.decision": object({ type: oneOf("moderation.decision"), ...envelope, alert }),
  subscribers: object({
    type: oneOf("subscribers"),
    ...envelope,
    count: nullable(count),
    change: integer(),
    asOf: instant,
  }),
  "revenue.changed": object({
    type: oneOf("revenue.changed"),
    ...envelope,
    version: count,
    lastPaymentAt: instant,
    paymentId: text(),
    kind: oneOf("ad", "subscription", "payout"),
    amountMinor: text((value) => /^-?\d{1,19}$/.test(value), "minor units"),
    currency: text((value) => /^[A-Z]{3}$/.test(value), "an ISO 4217 code"),
  }),
  "payout-settings.changed": object({
    type: oneOf("payout-settings.changed"),
    ...envelope,
    changedAt: instant,
    lockedUntil: nullable(instant),
  }),
  "stream.ended": object({ type: oneOf("stream.ended"), ...envelope, contentId, summary }),
};

/**
 * Reads one parsed message. Gives null for a type this client does not know, which is to be ignored; throws
 * {@link Misshapen} for anything else that is no frame.
 */
export function readFrame(message: unknown): ServerFrame | null {
  const type: unknown = typeof message === "object" && message !== null && "type" in message ? message.type : undefined;
  if (typeof type !== "string") {
    throw new Misshapen("type", "a frame type");
  }
  if (!Object.hasOwn(shapes, type)) {
    return null;
  }
  return shapes[type as ServerFrame["type"]](message, ""); // it is a key of `shapes`
}
