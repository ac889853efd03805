// Frames of the live socket, subprotocol `creator-live.v1`. Instants are ISO 8601 in UTC. A number we do not know is
// null, never 0. `seq` rises within an `epoch`; a new epoch begins with a new snapshot on the same socket.
import { z } from "zod";
import { contentIdSchema } from "./ids.ts";
import { currencySchema, minorUnitsSchema } from "./money.ts";

/** The subprotocol offered by clients and the only one echoed. */
export const LIVE_PROTOCOL = "creator-live.v1";
/** Prefix of the subprotocol that carries a browser's token: browsers can send no header on a socket. */
export const BEARER_PROTOCOL_PREFIX = "bearer.";
/** A session counts as watching for this long after its last beat: three tries of a 15 s heartbeat. */
export const LIVE_WINDOW_SECONDS = 45;
/** How often a client says `ping`: under the usual 30 s idle limit of mobile carriers' and proxies' connections. */
export const PING_INTERVAL_SECONDS = 25;
/**
 * A client says after every so many characters how many it has received: nobody else tells a hub how much a socket has
 * yet to send. Some twenty seconds of a busy creator's frames (ours).
 */
export const RECEIPT_EVERY_CHARACTERS = 65_536;

/** Close codes of the socket. */
export const closeCodes = {
  badMessage: 4400,
  tokenExpired: 4401,
  forbidden: 4403,
  idle: 4408,
  tooManySockets: 4429,
  restart: 1012,
  tryLater: 1013,
} as const;

const instantSchema = z.iso.datetime();
const countSchema = z.number().int().min(0);

/** How trustworthy the live numbers are right now. */
export const liveStateSchema = z.enum(["live", "stale", "unavailable"]);
export type LiveState = z.infer<typeof liveStateSchema>;

/** Why the state is not `live`. */
export const liveReasonSchema = z.enum(["starting", "reader_behind", "reader_stalled", "source_stopped", "gap"]);
export type LiveReason = z.infer<typeof liveReasonSchema>;

/** Totals over all the creator's items since each was first seen. */
export const liveTotalsSchema = z.object({
  liveViewers: countSchema.nullable(),
  views: countSchema.nullable(),
  likes: countSchema.nullable(),
  shares: countSchema.nullable(),
  completions: countSchema.nullable(),
  watchSeconds: z.number().min(0).nullable(),
  items: countSchema.nullable(),
});
export type LiveTotals = z.infer<typeof liveTotalsSchema>;

/** One item's live numbers. `viewsPerMinute` ends with the current minute, oldest first, at most 60. */
export const liveContentSchema = z.object({
  contentId: contentIdSchema,
  isLive: z.boolean(),
  liveViewers: countSchema.nullable(),
  peakViewers: countSchema.nullable(),
  peakAt: instantSchema.nullable(),
  views: countSchema,
  likes: countSchema,
  shares: countSchema,
  completions: countSchema,
  watchSeconds: z.number().min(0),
  since: instantSchema,
  viewsPerMinute: z.array(countSchema).max(60).optional(),
  approximate: z.boolean(),
});
export type LiveContent = z.infer<typeof liveContentSchema>;

/** A moderation decision as the creator sees it. */
export const alertSchema = z.object({
  alertId: z.string(),
  type: z.literal("moderation.decision"),
  contentId: contentIdSchema,
  decision: z.enum(["approved", "restricted", "removed", "demonetised", "reinstated"]),
  reason: z.string(),
  policyUrl: z.string().nullable(),
  appealBy: instantSchema.nullable(),
  decidedAt: instantSchema,
});
export type Alert = z.infer<typeof alertSchema>;

/** What a finished stream did. `approximate` where several partitions or a sketch had to be merged. */
export const streamSummarySchema = z.object({
  startedAt: instantSchema,
  endedAt: instantSchema,
  peakViewers: countSchema,
  peakAt: instantSchema.nullable(),
  averageViewers: countSchema.meta({ description: "Mean over the stream's minutes of the most viewers in each." }),
  uniqueSessions: countSchema,
  watchSeconds: z.number().min(0),
  likes: z.number().int().meta({ description: "Added less removed: may be below 0." }),
  shares: countSchema,
  subscribersGained: countSchema.meta({ description: "In the minutes from the stream's first to its last." }),
  approximate: z.boolean(),
});
export type StreamSummary = z.infer<typeof streamSummarySchema>;

const frame = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.object({ type: z.literal(type), epoch: z.string(), seq: countSchema, at: instantSchema, ...shape });

export const welcomeFrameSchema = z.object({
  type: z.literal("welcome"),
  protocol: z.literal(LIVE_PROTOCOL),
  connectionId: z.string(),
  epoch: z.string(),
  serverTime: instantSchema,
  pingIntervalSeconds: z.number(),
  liveWindowSeconds: z.number(),
  /** How often the client is to send a receipt; absent where the service does not take any. */
  receiptEveryCharacters: z.number().int().min(1).optional(),
});
export const snapshotFrameSchema = frame("snapshot", {
  state: liveStateSchema,
  reason: liveReasonSchema.nullable(),
  asOf: instantSchema.nullable(),
  totals: liveTotalsSchema,
  content: z.array(liveContentSchema),
  subscribers: z.object({ count: countSchema.nullable(), asOf: instantSchema.nullable() }),
  revenue: z.object({ version: countSchema, lastPaymentAt: instantSchema.nullable() }),
  alerts: z.array(alertSchema),
});
export const metricsFrameSchema = frame("metrics", {
  asOf: instantSchema,
  totals: liveTotalsSchema,
  content: z.array(liveContentSchema),
  removed: z.array(contentIdSchema),
});
export const statusFrameSchema = frame("status", {
  state: liveStateSchema,
  reason: liveReasonSchema.nullable(),
  asOf: instantSchema.nullable(),
});
export const moderationFrameSchema = frame("moderation.decision", { alert: alertSchema });
export const subscribersFrameSchema = frame("subscribers", {
  count: countSchema.nullable(),
  change: z.number().int(),
  asOf: instantSchema,
});
export const revenueFrameSchema = frame("revenue.changed", {
  version: countSchema,
  lastPaymentAt: instantSchema,
  paymentId: z.string(),
  kind: z.enum(["ad", "subscription", "payout"]),
  amountMinor: minorUnitsSchema,
  currency: currencySchema,
});
export const payoutSettingsFrameSchema = frame("payout-settings.changed", {
  changedAt: instantSchema,
  lockedUntil: instantSchema.nullable(),
});
export const streamEndedFrameSchema = frame("stream.ended", {
  contentId: contentIdSchema,
  summary: streamSummarySchema,
});

/** What a client sends beside the text `ping`. */
export const receiptSchema = z
  .strictObject({ type: z.literal("receipt"), characters: countSchema })
  .describe(
    "After every `receiptEveryCharacters` of the `welcome`: how many characters (UTF-16 code units) of frames the client has received on this connection in all, `pong` not counted.",
  );
export type Receipt = z.infer<typeof receiptSchema>;

/** Every frame a server sends. Clients ignore types they do not know. */
export const serverFrameSchemas = [
  welcomeFrameSchema.describe("Greets a new socket."),
  snapshotFrameSchema.describe("The whole state: the first after `welcome`, and of every new epoch."),
  metricsFrameSchema.describe("Totals and the items that changed; an item's minutes only when a minute has passed."),
  statusFrameSchema.describe("How far the numbers may be trusted now, and why not further."),
  moderationFrameSchema.describe("The platform decided about an item."),
  subscribersFrameSchema.describe("The subscriber count changed."),
  revenueFrameSchema.describe("Money moved: revenue is to be fetched again."),
  payoutSettingsFrameSchema.describe("Payout settings were saved: they are to be fetched again."),
  streamEndedFrameSchema.describe("A stream has ended, or more is known of one that had."),
] as const;
export const serverFrameSchema = z.discriminatedUnion("type", serverFrameSchemas);
export type ServerFrame = z.infer<typeof serverFrameSchema>;
export type SnapshotFrame = z.infer<typeof snapshotFrameSchema>;
export type MetricsFrame = z.infer<typeof metricsFrameSchema>;
