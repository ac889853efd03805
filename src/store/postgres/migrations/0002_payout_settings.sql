-- The settings that this service owns, and what every change leaves behind in the same transaction.

CREATE TABLE payout_settings (
  creator_id text PRIMARY KEY,
  currency char(3) NOT NULL CHECK (currency IN ('NGN', 'USD')),
  payment_method text NOT NULL CHECK (payment_method IN ('paystack', 'stripe')),
  paystack_account_id text CHECK (paystack_account_id ~ '^(RCP|ACCT)_[A-Za-z0-9]{6,64}$'),
  stripe_account_id text CHECK (stripe_account_id ~ '^acct_[A-Za-z0-9]{6,64}$'),
  locked_until timestamptz,
  version bigint NOT NULL CHECK (version >= 1),
  updated_at timestamptz NOT NULL,
  CONSTRAINT payout_settings_account_of_method CHECK (
    CASE payment_method
      WHEN 'paystack' THEN paystack_account_id IS NOT NULL
      ELSE stripe_account_id IS NOT NULL
    END
  )
);

-- Accounts are masked here, so that no reader of the trail learns where money goes.
CREATE TABLE payout_settings_audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  creator_id text NOT NULL,
  version bigint NOT NULL,
  changed_at timestamptz NOT NULL,
  actor text NOT NULL,
  request_id text NOT NULL,
  before jsonb,
  after jsonb NOT NULL,
  UNIQUE (creator_id, version)
);

CREATE TABLE notification_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  creator_id text NOT NULL,
  kind text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  delivered_at timestamptz
);

-- The notifier takes the undelivered ones in order.
CREATE INDEX notification_outbox_undelivered ON notification_outbox (id) WHERE delivered_at IS NULL;

-- What was answered to a key, for at least 24 hours.
CREATE TABLE idempotency_keys (
  creator_id text NOT NULL,
  key text NOT NULL,
  request_hash text NOT NULL,
  status integer NOT NULL,
  response jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (creator_id, key)
);

-- The first letters say whose account it is, the last four let its owner recognise it.
CREATE FUNCTION masked_account(account text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN left(account, strpos(account, '_')) || '••••' || right(account, 4);

-- The settings as anybody but the Payout Service may see them.
CREATE FUNCTION masked_payout_settings(settings payout_settings) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN jsonb_build_object(
    'currency', settings.currency,
    'method', settings.payment_method,
    'paystackAccount', masked_account(settings.paystack_account_id),
    'stripeAccount', masked_account(settings.stripe_account_id),
    'lockedUntil', settings.locked_until,
    'version', settings.version,
    'updatedAt', settings.updated_at
  );
