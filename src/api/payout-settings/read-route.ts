// The creator's payout settings, accounts masked.
import { payoutSettingsAnswerSchema } from "../../contract/payout-settings.ts";
import { readPayoutSettings } from "../../store/postgres/payout-settings.ts";
import { creatorRoute } from "../route.ts";
import { etagHeaderSchema, etagOf } from "./etag.ts";

/** Where the settings are. */
export const PAYOUT_SETTINGS_PATH = "/api/v1/creator/payout-settings";

/** `GET /api/v1/creator/payout-settings`. */
export const readPayoutSettingsRoute = creatorRoute({
  method: "get",
  path: PAYOUT_SETTINGS_PATH,
  tag: "Payout settings",
  summary: "Where payouts go",
  description: 'Answers before the first setting too: `configured` is false then, and the ETag `"0"`.',
  answer: payoutSettingsAnswerSchema,
  answerHeaders: etagHeaderSchema,
  problems: ["storage_unavailable"],
  handle: async ({ creator, services }) => {
    const settings = await readPayoutSettings(services.postgres, creator.creatorId);
    return { answer: settings, headers: { ETag: etagOf(settings.version) } };
  },
});
