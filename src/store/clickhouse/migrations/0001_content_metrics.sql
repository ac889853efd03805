-- What the metrics pipeline writes and we read: increments per item and hour. Reads sum them, so a row may come in parts.
-- A slice of one item is small (730 rows a month): with ClickHouse's usual 8,192 rows a granule a year of it would read
-- over 100,000 rows; with 1,024 it reads about 25,000.
CREATE TABLE IF NOT EXISTS content_metrics
(
    creator_id String,
    content_id String,
    period DateTime('UTC') COMMENT 'The full hour it began',
    views UInt64,
    watch_time_s UInt64,
    likes Int64 COMMENT 'Added less removed: may be below 0',
    shares UInt64,
    completions UInt64
)
ENGINE = SummingMergeTree
PARTITION BY toYYYYMM(period)
ORDER BY (creator_id, content_id, period)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000;
