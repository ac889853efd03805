-- Read model for rankings: items per hour, in the order of hours, for the hours between a range's ends and the UTC days
-- within it. content_metrics itself is in the order of items: a few hours of all items would read the whole month.
CREATE TABLE IF NOT EXISTS content_metrics_edge_hours
(
    creator_id String,
    period DateTime('UTC'),
    content_id String,
    views UInt64,
    watch_time_s UInt64,
    completions UInt64
)
ENGINE = SummingMergeTree
PARTITION BY toYYYYMM(period)
ORDER BY (creator_id, period, content_id)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS content_metrics_edge_hours_mv TO content_metrics_edge_hours AS
SELECT creator_id, period, content_id, views, watch_time_s, completions
FROM content_metrics;
