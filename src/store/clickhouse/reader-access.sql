-- Who the API Worker is on a real ClickHouse: a user that can only read what it asks for, within bounds. Reviewed and run
-- by hand by an administrator, once per cluster; the local engine has no users to create.
--
-- Put a password of your own in place of the one below, and the database's name in place of `default`.
-- Proof, as that user: SELECT works on the tables below; any INSERT fails with READONLY (164); a SELECT on
-- any other table with ACCESS_DENIED (497); SETTINGS max_execution_time = 60 with SETTING_CONSTRAINT_VIOLATION (452).

CREATE SETTINGS PROFILE IF NOT EXISTS creator_dashboard_reader SETTINGS
    -- 2, not 1: the client must send its own output settings with every question.
    readonly = 2,
    max_execution_time = 2 MIN 1 MAX 2,
    -- Four times the largest question: a ranking over a year of a creator with hundreds of items.
    max_rows_to_read = 400000 MIN 1 MAX 400000,
    max_memory_usage = 1000000000 MIN 1 MAX 1000000000,
    max_result_rows = 10000 MIN 1 MAX 10000,
    max_threads = 4 MIN 1 MAX 4;

CREATE USER IF NOT EXISTS creator_dashboard_reader
    IDENTIFIED WITH sha256_password BY 'change this password'
    SETTINGS PROFILE creator_dashboard_reader;

GRANT SELECT ON default.content_metrics TO creator_dashboard_reader;
GRANT SELECT ON default.subscriber_metrics TO creator_dashboard_reader;
GRANT SELECT ON default.audience_country_daily TO creator_dashboard_reader;
GRANT SELECT ON default.audience_device_daily TO creator_dashboard_reader;
GRANT SELECT ON default.ingest_progress TO creator_dashboard_reader;
GRANT SELECT ON default.creator_metrics_hourly TO creator_dashboard_reader;
GRANT SELECT ON default.content_metrics_daily TO creator_dashboard_reader;
GRANT SELECT ON default.content_metrics_monthly TO creator_dashboard_reader;
GRANT SELECT ON default.content_metrics_edge_hours TO creator_dashboard_reader;
GRANT SELECT ON default.item_metrics_daily TO creator_dashboard_reader;
