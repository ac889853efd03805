// Money earned and paid: `GET /api/v1/creator/revenue`. Amounts of different currencies are never added.
import { z } from "zod";
import { cursorSchema, limitSchema } from "./content.ts";
import { contentIdSchema } from "./ids.ts";
import { currencySchema, minorUnitsSchema } from "./money.ts";
import { timeRangeEchoSchema, timeRangeParameters } from "./time-range.ts";

/** What the amounts are: said in every answer, since nobody can check a number without it. */
export const REVENUE_DEFINITION = "net of platform fee, before withholding tax" as const;
/** Items in `byContent` for each currency, the highest first (ours): the page shows ten. */
export const MAX_REVENUE_ITEMS = 50;

/** Where money comes from. */
export const revenueSources = ["ad", "subscription"] as const;
/** How settled an entry is. */
export const revenueStatuses = ["estimated", "final", "paid"] as const;

/** The route's parameters. `limit` and `cursor` page through the payouts. */
export const revenueQuerySchema = z.strictObject({
  ...timeRangeParameters,
  limit: limitSchema,
  cursor: cursorSchema,
});
export type RevenueQuery = z.output<typeof revenueQuerySchema>;

const byStatus = {
  estimatedMinor: minorUnitsSchema,
  finalMinor: minorUnitsSchema,
  paidMinor: minorUnitsSchema,
};

/** One bucket of time. Its `status` is the least settled of its entries; null where there are none. */
export const revenueBucketSchema = z.object({
  start: z.iso.datetime({ offset: true }),
  complete: z.boolean(),
  adMinor: minorUnitsSchema,
  subscriptionMinor: minorUnitsSchema,
  status: z.enum(revenueStatuses).nullable(),
  payoutIds: z.array(z.string()).meta({ description: "The payouts that paid what was earned here." }),
});

/** Everything in one currency. */
export const currencyRevenueSchema = z.object({
  currency: currencySchema,
  ...byStatus,
  bySource: z.array(z.object({ source: z.enum(revenueSources), ...byStatus })),
  series: z.array(revenueBucketSchema),
  byContent: z
    .array(z.object({ contentId: contentIdSchema, title: z.string().nullable(), amountMinor: minorUnitsSchema }))
    .meta({ description: "The highest earning items; revenue of no particular item is not among them." }),
});
export type CurrencyRevenue = z.infer<typeof currencyRevenueSchema>;

/** A payout as the Billing Engine tells it. `status` and `method` are its words. */
export const payoutSchema = z.object({
  payoutId: z.string(),
  status: z.string().meta({ examples: ["pending", "in_transit", "paid", "failed", "reversed", "canceled"] }),
  currency: currencySchema,
  amountMinor: minorUnitsSchema,
  method: z.string(),
  reference: z.string().nullable(),
  periodStart: z.iso.date().nullable(),
  periodEnd: z.iso.date().nullable(),
  createdAt: z.iso.datetime(),
  arrivalDate: z.iso.date().nullable(),
  failureCode: z.string().nullable(),
  failureMessage: z.string().nullable(),
});
export type Payout = z.infer<typeof payoutSchema>;

/** The whole answer. `asOf` is the Billing Engine's latest word; null when it has never said any. */
export const revenueAnswerSchema = z.object({
  query: timeRangeEchoSchema,
  asOf: z.iso.datetime().nullable(),
  definition: z.literal(REVENUE_DEFINITION),
  currencies: z.array(currencyRevenueSchema),
  payouts: z.object({ items: z.array(payoutSchema), nextCursor: z.string().nullable() }),
});
