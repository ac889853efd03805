// Reading and saving payout settings. A save decides and writes everything in one transaction: the settings, the audit
// row, the notification and the answer kept for the idempotency key, or none of them.
import { z } from "zod";
import type { CreatorId } from "../../contract/ids.ts";
import {
  payoutCurrencies,
  payoutMethods,
  type PayoutSettingsAnswer,
  type PayoutSettingsChange,
} from "../../contract/payout-settings.ts";
import { PostgresRefusal, type Postgres, type Statement } from "./postgres.ts";
import { SAVE_PAYOUT_SETTINGS } from "./save-payout-settings-sql.ts";

/** How long a save waits for another one of the same creator (ours): one takes milliseconds. */
const LOCK_TIMEOUT_MS = 1_000;
/** SQLSTATE lock_not_available. */
const LOCK_NOT_AVAILABLE = "55P03";

/** Postgres writes an instant in JSON with its own offset and up to six digits of a second. */
const jsonInstantSchema = z.iso
  .datetime({ offset: true })
  .transform((instant) => new Date(instant).toISOString())
  .nullable();

/** What `masked_payout_settings` makes: full account ids do not leave the database here. */
const maskedSettingsSchema = z
  .object({
    currency: z.enum(payoutCurrencies),
    method: z.enum(payoutMethods),
    paystackAccount: z.string().nullable(),
    stripeAccount: z.string().nullable(),
    lockedUntil: jsonInstantSchema,
    version: z.int().min(1),
    updatedAt: jsonInstantSchema,
  })
  .transform((settings): PayoutSettingsAnswer => ({ configured: true, ...settings }));

const notConfigured: PayoutSettingsAnswer = {
  configured: false,
  currency: null,
  method: null,
  paystackAccount: null,
  stripeAccount: null,
  lockedUntil: null,
  version: 0,
  updatedAt: null,
};

/**
 * The creator's settings; version 0 before there are any.
 * @throws StoreUnavailable
 */
export async function readPayoutSettings(postgres: Postgres, creatorId: CreatorId): Promise<PayoutSettingsAnswer> {
  const [[row]] = await postgres.read([
    {
      name: "payout settings",
      text: "SELECT masked_payout_settings(s) AS settings FROM payout_settings s WHERE s.creator_id = $1",
      parameters: [creatorId],
      row: z.object({ settings: maskedSettingsSchema }),
    },
  ]);
  return row?.settings ?? notConfigured;
}

/** A save, with everything that decides it. */
export interface PayoutSettingsSave {
  readonly creatorId: CreatorId;
  readonly change: PayoutSettingsChange;
  /** Versions of which one must be the current one; undefined when the client named none. */
  readonly expectedVersions: readonly string[] | undefined;
  /** The client's name for this request and what was asked under it. */
  readonly idempotency: { readonly key: string; readonly requestHash: string } | undefined;
  readonly nowMs: number;
  /** How long a changed destination is held. */
  readonly holdHours: number;
  /** For the audit trail: who, by which request. */
  readonly actor: string;
  readonly requestId: string;
}

/**
 * How a save ended. `saved` and `replayed` carry the settings: a replay those that were answered to the key before.
 * Every other outcome has changed nothing.
 */
export type PayoutSettingsOutcome =
  | { readonly outcome: "saved" | "replayed"; readonly settings: PayoutSettingsAnswer }
  | { readonly outcome: "stale" | "precondition_required" | "key_reused" | "busy" };

const outcomeSchema = z.discriminatedUnion("outcome", [
  z.object({ outcome: z.enum(["saved", "replayed"]), settings: maskedSettingsSchema }),
  z.object({ outcome: z.enum(["stale", "precondition_required", "key_reused"]) }),
]);

/**
 * Saves. Of any number of saves that expect the same version, exactly one is `saved`.
 * @throws StoreUnavailable, after which the outcome is unknown: the same key tells it
 */
export async function savePayoutSettings(postgres: Postgres, save: PayoutSettingsSave): Promise<PayoutSettingsOutcome> {
  try {
    // Each statement sees what was committed before it began: the last one begins when the lock is ours.
    const [, , [decided]] = await postgres.write([
      {
        name: "lock timeout",
        text: "SELECT set_config('lock_timeout', $1, true)",
        parameters: [`${LOCK_TIMEOUT_MS}ms`],
        row: z.unknown(),
      },
      {
        name: "creator's lock",
        text: "SELECT pg_advisory_xact_lock(hashtextextended('payout_settings:' || $1, 0))",
        parameters: [save.creatorId],
        row: z.unknown(),
      },
      saveStatement(save),
    ]);
    if (decided === undefined) {
      throw new TypeError("the save decided nothing");
    }
    return decided;
  } catch (error) {
    if (error instanceof PostgresRefusal && error.code === LOCK_NOT_AVAILABLE) {
      return { outcome: "busy" };
    }
    throw error;
  }
}

function saveStatement(save: PayoutSettingsSave): Statement<z.output<typeof outcomeSchema>> {
  const { change } = save;
  return {
    name: "save payout settings",
    text: SAVE_PAYOUT_SETTINGS,
    parameters: [
      save.creatorId,
      change.currency,
      change.method,
      change.paystackAccountId ?? null,
      change.stripeAccountId ?? null,
      save.expectedVersions ?? null,
      save.idempotency?.key ?? null,
      save.idempotency?.requestHash ?? null,
      new Date(save.nowMs).toISOString(),
      save.holdHours,
      save.actor,
      save.requestId,
    ],
    row: outcomeSchema,
  };
}
