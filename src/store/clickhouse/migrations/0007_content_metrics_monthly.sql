-- Read model for rankings: items per UTC month, for the whole months inside a range.
CREATE TABLE IF NOT EXISTS content_metrics_monthly
(
    creator_id String,
    month Date COMMENT 'Its first day',
    content_id String,
    views UInt64,
    watch_time_s UInt64,
    completions UInt64
)
ENGINE = SummingMergeTree
PARTITION BY toYear(month)
ORDER BY (creator_id, month, content_id)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS content_metrics_monthly_mv TO content_metrics_monthly AS
SELECT creator_id, toStartOfMonth(period) AS month, content_id, sum(views) AS views,
    sum(watch_time_s) AS watch_time_s, sum(completions) AS completions
FROM content_metrics
GROUP BY creator_id, month, content_id;
