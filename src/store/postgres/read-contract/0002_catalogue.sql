-- Owned by the catalogue, read by us. As with the Billing Engine's tables: created here for development and tests only.

CREATE TABLE content (
  content_id text PRIMARY KEY,
  creator_id text NOT NULL,
  title text NOT NULL,
  kind text NOT NULL,
  status text NOT NULL,
  published_at timestamptz,
  duration_s integer,
  thumbnail_url text,
  view_count bigint,
  view_count_at timestamptz,
  created_at timestamptz NOT NULL
);

-- The library in its usual order.
CREATE INDEX content_by_creator_and_time ON content (creator_id, (coalesce(published_at, created_at)), content_id);

GRANT SELECT ON content TO creator_dashboard_api;
