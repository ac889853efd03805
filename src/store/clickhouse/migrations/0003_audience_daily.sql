-- What the metrics pipeline writes and we read: the audience per creator and UTC day, with a sketch of distinct viewers
-- that can be merged over days. Nobody can be told apart in it.
CREATE TABLE IF NOT EXISTS audience_country_daily
(
    creator_id String,
    day Date,
    country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2',
    views SimpleAggregateFunction(sum, UInt64),
    viewers AggregateFunction(uniqCombined64, String)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (creator_id, day, country)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS audience_device_daily
(
    creator_id String,
    day Date,
    device LowCardinality(String) COMMENT 'mobile, desktop, tv, tablet or other',
    views SimpleAggregateFunction(sum, UInt64),
    viewers AggregateFunction(uniqCombined64, String)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (creator_id, day, device)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;
