-- For the Payout Service: where to pay each creator, and whether it may. It reads this view at payout time.

CREATE VIEW payout_destinations AS
SELECT
  creator_id,
  currency,
  payment_method,
  CASE payment_method WHEN 'paystack' THEN paystack_account_id ELSE stripe_account_id END AS account_id,
  locked_until,
  coalesce(locked_until > now(), false) AS is_locked,
  version,
  updated_at
FROM payout_settings;

COMMENT ON VIEW payout_destinations IS
  'Read at payout time, never cached. While is_locked is true (until locked_until) nothing may be paid to account_id: the destination has just been changed and its owner may yet object.';

GRANT SELECT ON payout_destinations TO payout_service;
