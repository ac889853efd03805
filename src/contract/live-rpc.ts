// Calls between the consumer's readers, the watch list and the hubs. Old and new code run side by side during a deploy,
// so every argument and answer carries `v`, every schema ignores fields it does not know, and a field added later is
// optional. Instants here are milliseconds since the Unix epoch.
import { z } from "zod";
import { contentIdSchema, creatorIdSchema, sourceSchema } from "./ids.ts";
import { moderationEventSchema, paymentEventSchema, subscriptionEventSchema } from "./events.ts";

/** The newest shape this code speaks. A receiver accepts every version from 1 up and reads what it knows. */
export const LIVE_RPC_VERSION = 1;

const versionSchema = z.number().int().min(1);
const instantMsSchema = z.number().int().min(0);
const countSchema = z.number().int().min(0);
const offsetSchema = z.number().int().min(0);

/** Rises when a topic is recreated or a source's state is rebuilt; a hub then replaces the old contribution. */
const epochSchema = z.number().int().min(0);

/** Counts per minute: `counts[i]` belongs to the minute `firstMinute + i` (minutes since the Unix epoch). */
export const minuteSeriesSchema = z.object({ firstMinute: countSchema, counts: z.array(countSchema).max(2_880) });
export type MinuteSeries = z.infer<typeof minuteSeriesSchema>;

/** One item's share of one source. `likes` may be below 0 here: it is clamped only where it is shown. */
export const sourceItemSchema = z.object({
  contentId: contentIdSchema,
  isLive: z.boolean(),
  liveViewers: countSchema,
  peakViewers: countSchema,
  peakAt: instantMsSchema.nullable(),
  views: countSchema,
  likes: z.number().int(),
  shares: countSchema,
  completions: countSchema,
  watchSeconds: z.number().min(0),
  since: instantMsSchema,
  viewsPerMinute: minuteSeriesSchema,
  approximate: z.boolean(),
});
export type SourceItem = z.infer<typeof sourceItemSchema>;

/** Totals of one source for one creator over all its items, shown or not. */
export const sourceTotalsSchema = z.object({
  liveViewers: countSchema,
  views: countSchema,
  likes: z.number().int(),
  shares: countSchema,
  completions: countSchema,
  watchSeconds: z.number().min(0),
  items: countSchema,
});
export type SourceTotals = z.infer<typeof sourceTotalsSchema>;

/** The most items a publish carries: most viewers first, then most recent. */
export const MAX_PUBLISHED_ITEMS = 200;

/**
 * The complete state of one source for one creator. A hub keeps the newest by (epoch, offset, at), so redelivery,
 * replay and loss are harmless. `offset` is the next one to read; `at` is the instant the viewers were counted for.
 */
export const publishSchema = z.object({
  v: versionSchema,
  creatorId: creatorIdSchema,
  source: sourceSchema,
  epoch: epochSchema,
  offset: offsetSchema,
  at: instantMsSchema,
  /** True when the last fetch at the cursor came back empty: the numbers are as of now. */
  caughtUp: z.boolean(),
  totals: sourceTotalsSchema,
  items: z.array(sourceItemSchema).max(MAX_PUBLISHED_ITEMS),
});
export type Publish = z.infer<typeof publishSchema>;

/** What a hub says to a publish. `behind`: it holds something newer, so the reader stays dirty until it has passed. */
export const publishReplySchema = z.object({
  v: versionSchema,
  outcome: z.enum(["accepted", "duplicate", "behind"]),
  held: z.object({ epoch: epochSchema, offset: offsetSchema }),
  /** The least time between two publishes of one source to this hub: 250 ms, or 1,000 above 2,000 sockets. */
  intervalMs: z.number().int().min(50).max(60_000),
});
export type PublishReply = z.infer<typeof publishReplySchema>;

/** One rare event at its offset. `broadcast: false` for events older than 24 h: stored, not announced. */
export const rareEventSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("subscription"),
    offset: offsetSchema,
    broadcast: z.boolean(),
    event: subscriptionEventSchema,
  }),
  z.object({ kind: z.literal("payment"), offset: offsetSchema, broadcast: z.boolean(), event: paymentEventSchema }),
  z.object({
    kind: z.literal("moderation"),
    offset: offsetSchema,
    broadcast: z.boolean(),
    event: moderationEventSchema,
  }),
]);
export type RareEvent = z.infer<typeof rareEventSchema>;

/** Rare events of one creator from one source, in offset order, at most 500 a call (a row's size bounds it, ours). */
export const rareBatchSchema = z.object({
  v: versionSchema,
  creatorId: creatorIdSchema,
  source: sourceSchema,
  epoch: epochSchema,
  events: z.array(rareEventSchema).min(1).max(500),
});
export type RareBatch = z.infer<typeof rareBatchSchema>;

/** The hub's durable watermark of that source after the call: the offset after the last one it has taken. */
export const rareReplySchema = z.object({
  v: versionSchema,
  watermark: offsetSchema,
  applied: countSchema,
  duplicates: countSchema,
});
export type RareReply = z.infer<typeof rareReplySchema>;

/** One source's share of a finished stream: absolute, keyed by (contentId, startedAt, source), repeated until acked. */
export const streamShareSchema = z.object({
  v: versionSchema,
  creatorId: creatorIdSchema,
  source: sourceSchema,
  epoch: epochSchema,
  contentId: contentIdSchema,
  startedAt: instantMsSchema,
  endedAt: instantMsSchema,
  peakViewers: countSchema,
  peakAt: instantMsSchema.nullable(),
  viewersPerMinute: minuteSeriesSchema,
  uniqueSessions: countSchema,
  watchSeconds: z.number().min(0),
  likes: z.number().int(),
  shares: countSchema,
  approximate: z.boolean(),
  /** How many records the source had counted in this epoch: of two shares of one stream the one with more is the newer. */
  recordsCounted: countSchema.optional(),
});
export type StreamShare = z.infer<typeof streamShareSchema>;

/** A plain acknowledgement: what was sent is durable. */
export const ackSchema = z.object({ v: versionSchema });
export type Ack = z.infer<typeof ackSchema>;

/** A point in the watch list's history. An unknown incarnation gets the whole list. */
export const watchVersionSchema = z.object({ incarnation: z.string(), number: countSchema });
export type WatchVersion = z.infer<typeof watchVersionSchema>;

/** How a reader fares: `ok` fetched lately, `failing` cannot fetch, `stopped` refuses to go on (offset beyond latest). */
export const readerHealthSchema = z.object({
  state: z.enum(["starting", "ok", "failing", "stopped"]),
  lastFetchAt: instantMsSchema.nullable(),
  caughtUp: z.boolean(),
  lagRecords: countSchema.nullable(),
  /** Behind in time: now less the log time reached; 0 when caught up, null when unknown. */
  lagSeconds: z.number().min(0).nullable(),
  reason: z.string().max(200).nullable(),
});
export type ReaderHealth = z.infer<typeof readerHealthSchema>;

/**
 * A reader's poll: its position and health, and the version up to which every watcher has been served. Served means
 * published to, or nothing to publish.
 */
export const readerReportSchema = z.object({
  v: versionSchema,
  source: sourceSchema,
  /** Partitions of the source's topic, so that the list knows which creators' keys fall into this one. */
  partitions: z.number().int().min(1),
  epoch: epochSchema,
  offset: offsetSchema,
  served: watchVersionSchema.nullable(),
  /** Watchers up to `served` whose hubs fail: not served after all, yet they hold up nobody else. */
  unserved: z.array(creatorIdSchema).max(1_000).optional(),
  health: readerHealthSchema,
});
export type ReaderReport = z.infer<typeof readerReportSchema>;

/** Watchers that came, renewed under a new incarnation, or left since the reported version. */
export const watchChangesSchema = z.object({
  v: versionSchema,
  version: watchVersionSchema,
  /** True when `watchers` is the whole list: whoever is not in it is not watching. */
  whole: z.boolean(),
  watchers: z.array(z.object({ creatorId: creatorIdSchema, hubIncarnation: z.string() })),
  left: z.array(creatorIdSchema),
});
export type WatchChanges = z.infer<typeof watchChangesSchema>;

/** A hub's lease. `sources` are those it holds contributions of. A hub with no sockets left releases it. */
export const leaseSchema = z.object({
  v: versionSchema,
  creatorId: creatorIdSchema,
  hubIncarnation: z.string(),
  sources: z.array(sourceSchema).max(10_000),
  /** The newest revision that this incarnation has been told. */
  revision: countSchema.optional(),
});
export type Lease = z.infer<typeof leaseSchema>;

/** What the watch list knows of the sources that serve one creator. Pushed on change, and the answer to a lease. */
export const sourcesStateSchema = z.object({
  v: versionSchema,
  creatorId: creatorIdSchema,
  hubIncarnation: z.string(),
  /** True when every expected source has served this hub incarnation. */
  complete: z.boolean(),
  state: z.enum(["ok", "stale"]),
  reason: z.enum(["reader_behind", "reader_stalled", "source_stopped"]).nullable(),
  /** The oldest successful fetch among the sources concerned; null when one never fetched. */
  asOf: instantMsSchema.nullable(),
  /** Rises with every state told to one lease, so that an answer and a push that overtake each other do no harm. */
  revision: countSchema.optional(),
  /**
   * Every expected source, and where its reader stood when it last said that it has served this incarnation; null
   * before it has. A served source that has published nothing to this incarnation has nothing to publish.
   */
  sources: z
    .array(
      z.object({ source: sourceSchema, served: z.object({ epoch: epochSchema, offset: offsetSchema }).nullable() }),
    )
    .max(10_000)
    .optional(),
});
export type SourcesState = z.infer<typeof sourcesStateSchema>;

/** Asks a hub for the summary of an item's last finished stream. */
export const lastStreamQuerySchema = z.object({ v: versionSchema, contentId: contentIdSchema });
export type LastStreamQuery = z.infer<typeof lastStreamQuerySchema>;

/** The engagement sources there should be, as the supervisor sees the topics. */
export const expectedSourcesSchema = z.object({ v: versionSchema, sources: z.array(sourceSchema).max(10_000) });
export type ExpectedSources = z.infer<typeof expectedSourcesSchema>;

/** A saved change of payout settings, for every open dashboard of the creator. */
export const payoutSettingsChangedSchema = z.object({
  v: versionSchema,
  creatorId: creatorIdSchema,
  changedAt: instantMsSchema,
  lockedUntil: instantMsSchema.nullable(),
});
export type PayoutSettingsChanged = z.infer<typeof payoutSettingsChangedSchema>;

/** How one source fares, as the watch list sees it. */
export const sourceStatusSchema = z.object({
  source: sourceSchema,
  expected: z.boolean(),
  healthy: z.boolean(),
  epoch: epochSchema.nullable(),
  offset: offsetSchema.nullable(),
  /** When its last report came, by the watch list's clock. */
  reportedAt: instantMsSchema.nullable(),
  health: readerHealthSchema.nullable(),
});
export type SourceStatus = z.infer<typeof sourceStatusSchema>;

/** The watch list as an administrator sees it: no creator is named. */
export const watchListStatusSchema = z.object({
  v: versionSchema,
  version: watchVersionSchema,
  watchers: countSchema,
  incomplete: countSchema,
  stale: countSchema,
  sources: z.array(sourceStatusSchema),
});
export type WatchListStatus = z.infer<typeof watchListStatusSchema>;
