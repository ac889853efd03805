// The tables of a reader's own SQLite database.

/** Run in order at every start; each is idempotent, and a later version only adds to the list. */
export const readerTables = [
  `CREATE TABLE IF NOT EXISTS checkpoint (
     generation INTEGER PRIMARY KEY, topic_id TEXT NOT NULL, epoch INTEGER NOT NULL, next_offset INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS slice (
     generation INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (generation, part)) WITHOUT ROWID`,
  // One row: what a reader must know of itself beside its checkpoints.
  `CREATE TABLE IF NOT EXISTS reader (
     id INTEGER PRIMARY KEY CHECK (id = 0), last_epoch INTEGER NOT NULL, starts INTEGER NOT NULL, stopped TEXT,
     present_at_first_start INTEGER NOT NULL, suspect_from INTEGER, suspect_to INTEGER, suspect_deaths INTEGER,
     suspect_in_hand INTEGER)`,
  `CREATE TABLE IF NOT EXISTS dead_letter (
     id INTEGER PRIMARY KEY AUTOINCREMENT, topic_id TEXT NOT NULL, record_offset INTEGER NOT NULL,
     timestamp INTEGER NOT NULL, hour INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, key TEXT NOT NULL,
     value TEXT NOT NULL, truncated INTEGER NOT NULL, replayed_at INTEGER, UNIQUE (topic_id, record_offset))`,
  `CREATE TABLE IF NOT EXISTS dead_letter_count (
     reason TEXT NOT NULL, hour INTEGER NOT NULL, kept INTEGER NOT NULL, unkept INTEGER NOT NULL,
     PRIMARY KEY (reason, hour)) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS gap (
     topic_id TEXT NOT NULL, from_offset INTEGER NOT NULL, to_offset INTEGER NOT NULL, noticed_at INTEGER NOT NULL,
     PRIMARY KEY (topic_id, from_offset)) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS parked (
     creator_id TEXT NOT NULL, epoch INTEGER NOT NULL, record_offset INTEGER NOT NULL, event TEXT NOT NULL,
     PRIMARY KEY (creator_id, epoch, record_offset)) WITHOUT ROWID`,
];
