// A client's own name for a request that it may have to repeat.
import type { PayoutSettingsChange } from "../../contract/payout-settings.ts";
import { invalidParameter } from "../problem.ts";

/** At most this long, as elsewhere (Stripe), and nothing a log or a database could trip over. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The key, and a hash of what is asked under it; undefined when there is no key.
 * @throws Problem 400 when the key is malformed
 */
export async function idempotencyOf(
  key: string | undefined,
  change: PayoutSettingsChange,
): Promise<{ key: string; requestHash: string } | undefined> {
  if (key === undefined) {
    return undefined;
  }
  if (!KEY.test(key)) {
    throw invalidParameter([{ parameter: "Idempotency-Key", message: "expected 1 to 255 visible ASCII characters" }]);
  }
  // The parsed change in a fixed order: neither spaces nor the order of members make another request of it.
  const { currency, method, paystackAccountId = null, stripeAccountId = null } = change;
  const asked = JSON.stringify([currency, method, paystackAccountId, stripeAccountId]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(asked));
  const requestHash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { key, requestHash };
}
