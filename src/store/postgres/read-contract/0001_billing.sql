-- Owned by the Billing Engine, read by us. Where that service runs, these tables are there already: only their grants
-- are asked for. They are created here for development and tests.

CREATE TABLE payout_history (
  payout_id text PRIMARY KEY,
  creator_id text NOT NULL,
  currency char(3) NOT NULL,
  amount_minor bigint NOT NULL,
  status text NOT NULL,
  method text NOT NULL,
  reference text,
  period_start date,
  period_end date,
  created_at timestamptz NOT NULL,
  arrival_date date,
  failure_code text,
  failure_message text
);

CREATE INDEX payout_history_by_creator ON payout_history (creator_id, created_at DESC, payout_id DESC);

CREATE TABLE revenue_entries (
  entry_id text PRIMARY KEY,
  creator_id text NOT NULL,
  content_id text,
  source text NOT NULL CHECK (source IN ('ad', 'subscription')),
  currency char(3) NOT NULL,
  amount_minor bigint NOT NULL,
  status text NOT NULL CHECK (status IN ('estimated', 'final', 'paid')),
  payout_id text REFERENCES payout_history,
  accrued_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

-- Revenue of a time range, without visiting the rows of other days.
CREATE INDEX revenue_entries_by_creator_and_time ON revenue_entries (creator_id, accrued_at);

-- When the Billing Engine last wrote anything: how far its numbers can be trusted.
CREATE INDEX revenue_entries_by_update ON revenue_entries (updated_at);

-- Earnings of the items on one page of the library.
CREATE INDEX revenue_entries_by_content ON revenue_entries (creator_id, content_id)
  INCLUDE (currency, amount_minor);

GRANT SELECT ON payout_history, revenue_entries TO creator_dashboard_api;
