// Money is an integer number of minor units and an ISO 4217 code; in JSON a string, since sums may pass 2^53.
import { z } from "zod";

/** ISO 4217 alphabetic code. */
export const currencySchema = z.string().regex(/^[A-Z]{3}$/);
export type Currency = z.infer<typeof currencySchema>;

/** A signed integer of minor units as a decimal string: 19 digits hold a PostgreSQL bigint. */
export const minorUnitsSchema = z.string().regex(/^-?\d{1,19}$/);

/** An amount in one currency. Amounts of different currencies are never added. */
export const moneySchema = z.object({ amountMinor: minorUnitsSchema, currency: currencySchema });
export type Money = z.infer<typeof moneySchema>;
