-- The API Worker's role: it changes settings, and can only append to the trail and to the outbox.

GRANT SELECT, INSERT, UPDATE ON payout_settings TO creator_dashboard_api;

GRANT INSERT ON payout_settings_audit, notification_outbox TO creator_dashboard_api;

GRANT SELECT, INSERT, DELETE ON idempotency_keys TO creator_dashboard_api;

-- No statement of this role may outlive the caller's patience.
ALTER ROLE creator_dashboard_api SET statement_timeout = '5s';
