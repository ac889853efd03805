// Where a creator's money goes: `GET` and `PUT /api/v1/creator/payout-settings`. Full account ids come in and are never
// sent out again.
import { z } from "zod";

/** Currencies in which payouts are made. */
export const payoutCurrencies = ["NGN", "USD"] as const;
/** Providers that make them. */
export const payoutMethods = ["paystack", "stripe"] as const;
export type PayoutMethod = (typeof payoutMethods)[number];

/** A Paystack transfer recipient or subaccount. */
const paystackAccountIdSchema = z
  .string()
  .regex(/^(RCP|ACCT)_[A-Za-z0-9]{6,64}$/, { error: "expected a Paystack code such as RCP_2x5j67tnnw1t98k" });
/** A connected Stripe account. */
const stripeAccountIdSchema = z
  .string()
  .regex(/^acct_[A-Za-z0-9]{6,64}$/, { error: "expected a Stripe account such as acct_1MZ8zaLkdIwHu7ix" });
const currencySchema = z.enum(payoutCurrencies, { error: `expected one of ${payoutCurrencies.join(", ")}` });

/** The whole of the new settings: what is left out is forgotten. The method's own account is required. */
export const payoutSettingsChangeSchema = z.discriminatedUnion(
  "method",
  [
    z.strictObject({
      currency: currencySchema,
      method: z.literal("paystack"),
      paystackAccountId: paystackAccountIdSchema,
      stripeAccountId: stripeAccountIdSchema.optional(),
    }),
    z.strictObject({
      currency: currencySchema,
      method: z.literal("stripe"),
      paystackAccountId: paystackAccountIdSchema.optional(),
      stripeAccountId: stripeAccountIdSchema,
    }),
  ],
  { error: `expected an object whose method is one of ${payoutMethods.join(", ")}` },
);
export type PayoutSettingsChange = z.output<typeof payoutSettingsChangeSchema>;

/** The settings as their owner sees them, accounts masked. Before the first setting everything is null, version 0. */
export const payoutSettingsAnswerSchema = z.object({
  configured: z.boolean(),
  currency: z.enum(payoutCurrencies).nullable(),
  method: z.enum(payoutMethods).nullable(),
  paystackAccount: z
    .string()
    .nullable()
    .meta({ examples: ["RCP_••••4f2a"] }),
  stripeAccount: z
    .string()
    .nullable()
    .meta({ examples: ["acct_••••u7ix"] }),
  lockedUntil: z.iso
    .datetime()
    .nullable()
    .meta({ description: "Nothing is paid out before this instant, because the destination was changed." }),
  version: z.int().min(0).meta({ description: "The number in the ETag." }),
  updatedAt: z.iso.datetime().nullable(),
});
export type PayoutSettingsAnswer = z.infer<typeof payoutSettingsAnswerSchema>;
