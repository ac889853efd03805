// What people did and who they are: `GET /api/v1/creator/analytics/…`. A number that is not known is null, never 0.
import { z } from "zod";
import { contentIdSchema } from "./ids.ts";
import { streamSummarySchema } from "./live-frames.ts";
import { currencySchema, minorUnitsSchema } from "./money.ts";
import { timeRangeEchoSchema, ZONE_BOUNDARY_ROUNDED } from "./time-range.ts";

/** Subscriptions have arrived less far than views: their unfinished buckets are null. */
export const SUBSCRIBERS_INCOMPLETE = "subscribers_incomplete";
/** The audience is kept per UTC day: the zone asked for, or hours, do not apply to it. */
export const WHOLE_UTC_DAYS = "whole_utc_days";

/** Items in `topContent` and `topByCompletion` (ours): what a page shows at once. */
export const TOP_ITEMS = 10;
/** With fewer views a completion rate says little (the contract's own number). */
export const MINIMUM_VIEWS_FOR_COMPLETION = 100;
/**
 * Bound on the error of distinct viewers: three standard errors, 3 × 1.04 / √2^17, of the engine's sketch, rounded up.
 * Small numbers are exact.
 */
export const VIEWERS_RELATIVE_ERROR = 0.01;
/** What the benchmark is, said in every answer. */
export const BENCHMARK_BASIS = "median of your 50 most recent items in the same days since publication" as const;
/** How many items it is the median of, at most. */
export const BENCHMARK_ITEMS = 50;

const countSchema = z.int().min(0).nullable();
const rateSchema = z
  .number()
  .min(0)
  .max(1)
  .nullable()
  .meta({ description: "Completions by views; null without views." });
const zonedInstantSchema = z.iso.datetime({ offset: true });

/** What every analytics answer says about itself. */
const aboutSchema = {
  query: timeRangeEchoSchema,
  asOf: z.iso.datetime().nullable().meta({ description: "When the metrics pipeline last said how far it is." }),
  completeThrough: z.iso.datetime().nullable().meta({ description: "Everything before then has been counted." }),
  warnings: z.array(z.enum([ZONE_BOUNDARY_ROUNDED, SUBSCRIBERS_INCOMPLETE, WHOLE_UTC_DAYS])),
};

const engagementSchema = {
  views: countSchema,
  watchTimeSeconds: countSchema,
  likes: z.int().nullable().meta({ description: "Added less removed: may be below 0." }),
  shares: countSchema,
  completions: countSchema,
};

const totalsSchema = {
  views: engagementSchema.views,
  watchTimeSeconds: engagementSchema.watchTimeSeconds,
  averageWatchSeconds: z.number().min(0).nullable(),
  likes: engagementSchema.likes,
  shares: engagementSchema.shares,
  completions: engagementSchema.completions,
  completionRate: rateSchema,
};

/** A bucket of a series. One that has not begun to arrive has nulls. */
const bucketSchema = { start: zonedInstantSchema, complete: z.boolean(), ...engagementSchema };

/** Revenue of the range by currency. `final` is not paid yet; what was paid is apart, as in the revenue answer. */
export const overviewRevenueSchema = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("ok"),
    asOf: z.iso.datetime().nullable(),
    amounts: z.array(
      z.object({
        currency: currencySchema,
        estimatedMinor: minorUnitsSchema,
        finalMinor: minorUnitsSchema,
        paidMinor: minorUnitsSchema,
      }),
    ),
  }),
  z.object({ status: z.literal("unavailable"), asOf: z.null(), amounts: z.null() }),
]);
export type OverviewRevenue = z.input<typeof overviewRevenueSchema>;

const titleSchema = z.string().nullable().meta({ description: "Null when the catalogue cannot be asked or has none." });

/** `GET analytics/overview`. */
export const overviewAnswerSchema = z.object({
  ...aboutSchema,
  totals: z.object({
    ...totalsSchema,
    subscribers: z.object({
      gained: countSchema,
      lost: countSchema,
      net: z.int().nullable(),
      count: countSchema.meta({ description: "At the end of the range, or as far as it is known." }),
    }),
    revenue: overviewRevenueSchema,
  }),
  comparison: z.null(),
  series: z.array(z.object({ ...bucketSchema, subscribersGained: countSchema, subscribersLost: countSchema })),
  topContent: z.array(
    z.object({
      contentId: contentIdSchema,
      title: titleSchema,
      views: z.int().min(0),
      watchTimeSeconds: z.int().min(0),
      completionRate: rateSchema,
    }),
  ),
});
export type OverviewAnswer = z.input<typeof overviewAnswerSchema>;

/** `GET analytics/content/{contentId}`. Of the item's own data only its id is certain: the rest is the catalogue's. */
export const contentAnalyticsAnswerSchema = z.object({
  ...aboutSchema,
  content: z.object({
    contentId: contentIdSchema,
    title: titleSchema,
    kind: z.string().nullable(),
    status: z.string().nullable(),
    publishedAt: z.iso.datetime().nullable(),
    durationSeconds: z.int().min(0).nullable(),
  }),
  totals: z.object(totalsSchema),
  comparison: z.null(),
  series: z.array(z.object(bucketSchema)),
  benchmark: z
    .object({
      basis: z.literal(BENCHMARK_BASIS),
      items: z.int().min(1),
      views: z.number().min(0),
      completionRate: rateSchema,
    })
    .nullable()
    .meta({ description: "Whole UTC days; null without another item that has been through the same days." }),
  lastStream: streamSummarySchema.nullable(),
});
export type ContentAnalyticsAnswer = z.input<typeof contentAnalyticsAnswerSchema>;

const shareSchema = z.number().min(0).max(1).nullable().meta({ description: "Of all viewers, to the hundredth." });
const cellSchema = { viewers: z.int().min(0), views: z.int().min(0), share: shareSchema };

/** `GET analytics/audience`. Cells with too few viewers are folded into `other`. */
export const audienceAnswerSchema = z.object({
  ...aboutSchema,
  viewers: z.object({ count: countSchema, relativeError: z.number() }),
  privacy: z.object({
    threshold: z.int().min(10).meta({ description: "The least distinct viewers that a shown cell has." }),
    withheld: z.boolean().meta({ description: "Whether any cell was folded into other, or left out with it." }),
  }),
  countries: z.array(z.object({ country: z.string(), ...cellSchema })),
  devices: z.array(z.object({ device: z.string(), ...cellSchema })),
  topByCompletion: z.object({
    minimumViews: z.int(),
    items: z.array(
      z.object({ contentId: contentIdSchema, title: titleSchema, views: z.int().min(0), completionRate: rateSchema }),
    ),
  }),
  subscribers: z.array(
    z.object({
      start: z.iso.date(),
      complete: z.boolean(),
      gained: countSchema,
      lost: countSchema,
      count: countSchema,
    }),
  ),
});
export type AudienceAnswer = z.input<typeof audienceAnswerSchema>;
