-- Read model for benchmarks: items per UTC day, in the order of items, so that the same days since publication of many
-- items are many short reads. Not partitioned by month, which would cut each of them into pieces.
CREATE TABLE IF NOT EXISTS item_metrics_daily
(
    creator_id String,
    content_id String,
    day Date,
    views UInt64,
    completions UInt64
)
ENGINE = SummingMergeTree
ORDER BY (creator_id, content_id, day)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS item_metrics_daily_mv TO item_metrics_daily AS
SELECT creator_id, content_id, toDate(period) AS day, sum(views) AS views, sum(completions) AS completions
FROM content_metrics
GROUP BY creator_id, content_id, day;
