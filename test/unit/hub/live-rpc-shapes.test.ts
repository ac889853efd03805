// During a deploy old and new code call each other: a call as the first deployment made it, and one as a later
// deployment may make it, are both understood.
import { expect, test } from "vitest";
import {
  expectedSourcesSchema,
  lastStreamQuerySchema,
  leaseSchema,
  payoutSettingsChangedSchema,
  publishReplySchema,
  publishSchema,
  rareBatchSchema,
  rareReplySchema,
  readerReportSchema,
  sourcesStateSchema,
  streamShareSchema,
  watchChangesSchema,
} from "../../../src/contract/live-rpc.ts";

const creatorId = "crt_1";
const source = "user.engagement.events:0";
const minutes = { firstMinute: 29_000_000, counts: [1, 2] };
const totals = { liveViewers: 1, views: 2, likes: -1, shares: 0, completions: 0, watchSeconds: 1.5, items: 1 };
const item = {
  contentId: "cnt_1",
  isLive: true,
  liveViewers: 1,
  peakViewers: 2,
  peakAt: null,
  views: 2,
  likes: -1,
  shares: 0,
  completions: 0,
  watchSeconds: 1.5,
  since: 1,
  viewsPerMinute: minutes,
  approximate: false,
};
const occurredAt = "2026-11-22T20:00:00Z";
const health = { state: "ok", lastFetchAt: 1, caughtUp: true, lagRecords: null, lagSeconds: null, reason: null };
const version = { incarnation: "i", number: 3 };

/** Every call and answer as version 1 writes it. Never edited: that is the shape that old code sends. */
const firstShapes = [
  [publishSchema, { v: 1, creatorId, source, epoch: 1, offset: 2, at: 3, caughtUp: true, totals, items: [item] }],
  [publishReplySchema, { v: 1, outcome: "accepted", held: { epoch: 1, offset: 2 }, intervalMs: 250 }],
  [
    rareBatchSchema,
    {
      v: 1,
      creatorId,
      source,
      epoch: 1,
      events: [
        {
          kind: "subscription",
          offset: 1,
          broadcast: true,
          event: { eventId: "e", creatorId, change: "subscribed", occurredAt },
        },
      ],
    },
  ],
  [rareReplySchema, { v: 1, watermark: 1, applied: 1, duplicates: 0 }],
  [
    streamShareSchema,
    {
      v: 1,
      creatorId,
      source,
      epoch: 1,
      contentId: "cnt_1",
      startedAt: 1,
      endedAt: 2,
      peakViewers: 1,
      peakAt: null,
      viewersPerMinute: minutes,
      uniqueSessions: 1,
      watchSeconds: 1,
      likes: 0,
      shares: 0,
      approximate: false,
    },
  ],
  [readerReportSchema, { v: 1, source, partitions: 1, epoch: 1, offset: 2, served: version, health }],
  [watchChangesSchema, { v: 1, version, whole: true, watchers: [{ creatorId, hubIncarnation: "h_1" }], left: [] }],
  [leaseSchema, { v: 1, creatorId, hubIncarnation: "h_1", sources: [source] }],
  [
    sourcesStateSchema,
    { v: 1, creatorId, hubIncarnation: "h_1", complete: true, state: "ok", reason: null, asOf: null },
  ],
  [expectedSourcesSchema, { v: 1, sources: [source] }],
  [payoutSettingsChangedSchema, { v: 1, creatorId, changedAt: 1, lockedUntil: null }],
  [lastStreamQuerySchema, { v: 1, contentId: "cnt_1" }],
] as const;

test.each(firstShapes)("a call in the first shape is understood (%#)", (schema, call) => {
  expect(schema.safeParse(call).error).toBeUndefined();
});

test.each(firstShapes)(
  "a call in a later shape, with fields that this code does not know, is understood (%#)",
  (schema, call) => {
    const later = { ...call, v: 2, addedLater: { anything: [1] } };

    const parsed = schema.safeParse(later);

    expect(parsed.error).toBeUndefined();
    expect(parsed.data).not.toHaveProperty("addedLater");
  },
);

test.each(firstShapes)("a call without a version is refused (%#)", (schema, call) => {
  expect(schema.safeParse({ ...call, v: 0 }).success).toBe(false);
  expect(schema.safeParse({ ...call, v: undefined }).success).toBe(false);
});
