-- Two roles without login; an operator grants them to the users that the services log in as.
-- A paragraph is one statement: the files are run over a protocol that takes one statement at a time.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'creator_dashboard_api') THEN
    CREATE ROLE creator_dashboard_api NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'payout_service') THEN
    CREATE ROLE payout_service NOLOGIN;
  END IF;
END
$$;

-- Nothing is anybody's by default.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO creator_dashboard_api, payout_service;
