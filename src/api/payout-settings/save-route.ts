// Changing where the money goes: the one write of the service, and what a thief would want. A recent sign-in, the
// version that was read, a hold on a new destination, a trail and a notice in the same transaction.
import { z } from "zod";
import { assertNever } from "../../runtime/assert-never.ts";
import { describeError } from "../../runtime/log.ts";
import {
  payoutSettingsAnswerSchema,
  payoutSettingsChangeSchema,
  type PayoutSettingsAnswer,
} from "../../contract/payout-settings.ts";
import { LIVE_RPC_VERSION } from "../../contract/live-rpc.ts";
import { creatorHub } from "../../creator-hub/stubs.ts";
import { savePayoutSettings, type PayoutSettingsOutcome } from "../../store/postgres/payout-settings.ts";
import { requireRecentSignIn, type Creator } from "../authentication.ts";
import { Problem } from "../problem.ts";
import { creatorRoute } from "../route.ts";
import type { Services } from "../services.ts";
import { etagHeaderSchema, etagOf, versionsIn } from "./etag.ts";
import { idempotencyOf } from "./idempotency-key.ts";
import { PAYOUT_SETTINGS_PATH } from "./read-route.ts";

const requestHeadersSchema = z.object({
  "If-Match": z
    .string()
    .optional()
    .meta({ description: "The ETag of the settings that were read; required once there are any." }),
  "Idempotency-Key": z
    .string()
    .max(255)
    .optional()
    .meta({ description: "A name for this request: repeated with the same body, it gets the first answer again." }),
});

/** `PUT /api/v1/creator/payout-settings`. */
export const savePayoutSettingsRoute = creatorRoute({
  method: "put",
  path: PAYOUT_SETTINGS_PATH,
  tag: "Payout settings",
  summary: "Change where payouts go",
  description:
    "Replaces the settings as a whole. Needs a recent sign-in. A changed destination is held until `lockedUntil`; the first one is not.",
  body: payoutSettingsChangeSchema,
  requestHeaders: requestHeadersSchema,
  answer: payoutSettingsAnswerSchema,
  answerHeaders: etagHeaderSchema,
  problems: [
    "insufficient_user_authentication",
    "conflict",
    "precondition_failed",
    "too_large",
    "unsupported_media_type",
    "unprocessable",
    "precondition_required",
    "storage_unavailable",
  ],
  handle: async ({ body, header, creator, services, requestId, env, waitUntil }) => {
    const { payout } = services.configuration;
    const nowMs = services.clock.now();
    requireRecentSignIn(creator, payout.maxAuthAgeSeconds, nowMs);
    const outcome = await savePayoutSettings(services.postgres, {
      creatorId: creator.creatorId,
      change: body,
      expectedVersions: versionsIn(header("If-Match")),
      idempotency: await idempotencyOf(header("Idempotency-Key"), body),
      nowMs,
      holdHours: payout.holdHours,
      actor: creator.creatorId,
      requestId,
    });
    const settings = settingsOf(outcome);
    if (outcome.outcome === "saved") {
      waitUntil(announce(env, creator, settings, services));
    }
    return { answer: settings, headers: { ETag: etagOf(settings.version) } };
  },
});

function settingsOf(outcome: PayoutSettingsOutcome): PayoutSettingsAnswer {
  switch (outcome.outcome) {
    case "saved":
    case "replayed":
      return outcome.settings;
    case "stale":
      throw new Problem("precondition_failed", "The settings have changed since they were read. Read them again.");
    case "precondition_required":
      throw new Problem("precondition_required", "Settings exist: If-Match must carry the ETag that was read.");
    case "key_reused":
      throw new Problem("unprocessable", "This Idempotency-Key was used for another request.", {
        errors: [{ parameter: "Idempotency-Key", message: "was used for another request" }],
      });
    case "busy":
      throw new Problem("conflict", "Another change of these settings is in flight.", {
        headers: { "Retry-After": "1" },
      });
    default:
      return assertNever(outcome);
  }
}

/** Tells the open dashboards. The change is committed: a hub that cannot be told takes nothing back. */
async function announce(env: ApiEnv, { creatorId }: Creator, settings: PayoutSettingsAnswer, services: Services) {
  try {
    await creatorHub(env, creatorId).payoutSettingsChanged({
      v: LIVE_RPC_VERSION,
      creatorId,
      changedAt: services.clock.now(),
      lockedUntil: settings.lockedUntil === null ? null : Date.parse(settings.lockedUntil),
    });
  } catch (error) {
    services.log.warn("payout settings not announced", { creatorId, error: describeError(error) });
  }
}
