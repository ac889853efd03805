-- The pipeline's own word on how far it is. `source` is the table it fills: content_metrics, subscriber_metrics or
-- audience. Everything that happened before complete_through is in that table; updated_at is when it said so. Written
-- after the rows it speaks of; of several rows for one source the furthest holds.
CREATE TABLE IF NOT EXISTS ingest_progress
(
    source String,
    complete_through DateTime('UTC'),
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY source;
