// The one statement that decides a save and writes all that belongs to it. It runs under the creator's lock, so that
// nothing it has read can change before it commits.

/**
 * Parameters: 1 creator, 2 currency, 3 method, 4 Paystack account, 5 Stripe account, 6 expected versions or null,
 * 7 idempotency key or null, 8 request hash, 9 now, 10 hold in hours, 11 actor, 12 request id.
 */
export const SAVE_PAYOUT_SETTINGS = `
WITH before AS (
  SELECT s.* FROM payout_settings s WHERE s.creator_id = $1
),
known AS (
  SELECT k.request_hash, k.response FROM idempotency_keys k WHERE k.creator_id = $1 AND k.key = $7::text
),
decision AS (
  SELECT CASE
    WHEN EXISTS (SELECT FROM known WHERE request_hash = $8::text) THEN 'replayed'
    WHEN EXISTS (SELECT FROM known) THEN 'key_reused'
    WHEN $6::text[] IS NULL AND EXISTS (SELECT FROM before) THEN 'precondition_required'
    WHEN $6::text[] IS NOT NULL
      AND coalesce((SELECT version FROM before), 0)::text <> ALL ($6::text[]) THEN 'stale'
    ELSE 'saved'
  END AS outcome
),
saved AS (
  INSERT INTO payout_settings AS s
    (creator_id, currency, payment_method, paystack_account_id, stripe_account_id, locked_until, version, updated_at)
  SELECT $1, $2, $3, $4, $5, NULL, 1, $9::timestamptz
  FROM decision WHERE outcome = 'saved'
  ON CONFLICT (creator_id) DO UPDATE SET
    currency = excluded.currency,
    payment_method = excluded.payment_method,
    paystack_account_id = excluded.paystack_account_id,
    stripe_account_id = excluded.stripe_account_id,
    locked_until = CASE
      WHEN s.payment_method = excluded.payment_method AND CASE s.payment_method
        WHEN 'paystack' THEN s.paystack_account_id = excluded.paystack_account_id
        ELSE s.stripe_account_id = excluded.stripe_account_id
      END THEN s.locked_until
      -- Another destination: hold it. A hold that is running is never cut short.
      ELSE greatest(s.locked_until, excluded.updated_at + $10::int * interval '1 hour')
    END,
    version = s.version + 1,
    updated_at = excluded.updated_at
  RETURNING *
),
change AS (
  SELECT saved.creator_id, saved.version, saved.updated_at, saved.locked_until,
    (SELECT masked_payout_settings(before::payout_settings) FROM before) AS before,
    masked_payout_settings(saved::payout_settings) AS after
  FROM saved
),
audited AS (
  INSERT INTO payout_settings_audit (creator_id, version, changed_at, actor, request_id, before, after)
  SELECT creator_id, version, updated_at, $11, $12, before, after FROM change
),
announced AS (
  INSERT INTO notification_outbox (creator_id, kind, payload, created_at)
  SELECT creator_id, 'payout-settings.changed',
    jsonb_build_object('requestId', $12::text, 'before', before, 'after', after), updated_at
  FROM change
),
remembered AS (
  INSERT INTO idempotency_keys (creator_id, key, request_hash, status, response, created_at)
  SELECT creator_id, $7, $8, 200, after, updated_at FROM change WHERE $7::text IS NOT NULL
),
forgotten AS (
  -- Kept for a week, seven times what is promised. The key at hand is left alone: it may be the one just written.
  DELETE FROM idempotency_keys
  WHERE creator_id = $1 AND created_at < $9::timestamptz - interval '7 days' AND key IS DISTINCT FROM $7::text
)
SELECT decision.outcome, coalesce((SELECT after FROM change), (SELECT response FROM known)) AS settings
FROM decision`;
