-- Read model: a creator's totals per hour, for series in any zone. A year is 8,760 rows.
CREATE TABLE IF NOT EXISTS creator_metrics_hourly
(
    creator_id String,
    period DateTime('UTC'),
    views UInt64,
    watch_time_s UInt64,
    likes Int64,
    shares UInt64,
    completions UInt64
)
ENGINE = SummingMergeTree
PARTITION BY toYear(period)
ORDER BY (creator_id, period)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS creator_metrics_hourly_mv TO creator_metrics_hourly AS
SELECT creator_id, period, sum(views) AS views, sum(watch_time_s) AS watch_time_s, sum(likes) AS likes,
    sum(shares) AS shares, sum(completions) AS completions
FROM content_metrics
GROUP BY creator_id, period;
