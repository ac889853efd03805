-- What the metrics pipeline writes and we read: subscribers per creator and hour. Gained and lost are increments; the
-- count is the owner's own after the last change in the hour, null where the owner did not say it.
CREATE TABLE IF NOT EXISTS subscriber_metrics
(
    creator_id String,
    period DateTime('UTC') COMMENT 'The full hour it began',
    gained SimpleAggregateFunction(sum, UInt64),
    lost SimpleAggregateFunction(sum, UInt64),
    count SimpleAggregateFunction(anyLast, Nullable(UInt64))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYear(period)
ORDER BY (creator_id, period)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000;
