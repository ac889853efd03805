-- Read model for rankings: items per UTC day, in the order of days, so that a few days of all items are one short read.
CREATE TABLE IF NOT EXISTS content_metrics_daily
(
    creator_id String,
    day Date,
    content_id String,
    views UInt64,
    watch_time_s UInt64,
    completions UInt64
)
ENGINE = SummingMergeTree
PARTITION BY toYear(day)
ORDER BY (creator_id, day, content_id)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS content_metrics_daily_mv TO content_metrics_daily AS
SELECT creator_id, toDate(period) AS day, content_id, sum(views) AS views, sum(watch_time_s) AS watch_time_s,
    sum(completions) AS completions
FROM content_metrics
GROUP BY creator_id, day, content_id;
