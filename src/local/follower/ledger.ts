// What the follower must not forget, in one SQLite file: how far it has read, which repeats it knows, and the batch it is
// writing. The offsets move in the same transaction that pins the batch, so a batch is written again after a crash with
// the very same rows and tokens, which ClickHouse then knows.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { TableRows } from "./increments.ts";
import type { NewestBeat, SourceMemory } from "./tally.ts";

const schema = `
  CREATE TABLE IF NOT EXISTS ledger (id TEXT NOT NULL, batches INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS position (
    source TEXT PRIMARY KEY, topic_id TEXT NOT NULL, next_offset INTEGER NOT NULL, log_time INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS seen (
    source TEXT NOT NULL, event_id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (source, event_id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS beat (
    source TEXT NOT NULL, session TEXT NOT NULL, newest INTEGER NOT NULL, heard_at INTEGER NOT NULL,
    PRIMARY KEY (source, session)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS seen_at ON seen (source, at);
  CREATE INDEX IF NOT EXISTS beat_at ON beat (source, heard_at);
  CREATE TABLE IF NOT EXISTS pending (token TEXT PRIMARY KEY, table_name TEXT NOT NULL, rows TEXT NOT NULL);
`;

const positionSchema = z.object({
  source: z.string(),
  topic_id: z.string(),
  next_offset: z.number(),
  log_time: z.number(),
});
const seenSchema = z.object({ event_id: z.string(), at: z.number() });
const beatSchema = z.object({ session: z.string(), newest: z.number(), heard_at: z.number() });
const pendingSchema = z.object({ token: z.string(), table_name: z.string(), rows: z.string() });
const rowsSchema = z.array(z.record(z.string(), z.union([z.string(), z.number()])));

/** How far a source has been read. */
export interface Position {
  readonly source: string;
  readonly topicId: string;
  readonly nextOffset: number;
  readonly logTime: number;
}

/** Rows to be written once, under a token that ClickHouse knows them by. */
export interface PendingInsert extends TableRows {
  readonly token: string;
}

/** What one batch changes. */
export interface Batch {
  readonly position: Position;
  readonly seen: ReadonlyMap<string, number>;
  readonly beats: ReadonlyMap<string, NewestBeat>;
  /** Repeats and beats up to this log time are forgotten. */
  readonly forgetUpTo: number;
}

/** The follower's durable state. */
export class Ledger {
  readonly #database: DatabaseSync;

  /** Opens or creates the ledger in `folder`. `id` names a new one, so that its tokens are nobody else's. */
  constructor(folder: string, id: string) {
    mkdirSync(folder, { recursive: true });
    this.#database = new DatabaseSync(join(folder, "follower.sqlite"));
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    this.#database.exec(schema);
    if (!this.#database.prepare("SELECT id FROM ledger").get()) {
      this.#database.prepare("INSERT INTO ledger (id, batches) VALUES (?, 0)").run(id);
    }
  }

  /** Every source that has been read. */
  positions(): Position[] {
    return z
      .array(positionSchema)
      .parse(this.#database.prepare("SELECT source, topic_id, next_offset, log_time FROM position").all())
      .map((row) => ({
        source: row.source,
        topicId: row.topic_id,
        nextOffset: row.next_offset,
        logTime: row.log_time,
      }));
  }

  /** What is remembered of a source. */
  memory(source: string): SourceMemory {
    const seen = this.#database.prepare("SELECT event_id, at FROM seen WHERE source = ?").all(source);
    const beats = this.#database.prepare("SELECT session, newest, heard_at FROM beat WHERE source = ?").all(source);
    return {
      logTime: this.positions().find((position) => position.source === source)?.logTime ?? 0,
      seen: new Map(seen.map((row) => seenSchema.parse(row)).map((row) => [row.event_id, row.at])),
      beats: new Map(
        beats
          .map((row) => beatSchema.parse(row))
          .map((row) => [row.session, { newest: row.newest, heardAt: row.heard_at }]),
      ),
    };
  }

  /** Inserts that may or may not have reached ClickHouse. */
  pending(): PendingInsert[] {
    return z
      .array(pendingSchema)
      .parse(this.#database.prepare("SELECT token, table_name, rows FROM pending ORDER BY token").all())
      .map((row) => ({ token: row.token, table: row.table_name, rows: rowsSchema.parse(JSON.parse(row.rows)) }));
  }

  /** Moves the positions and pins what must be written for that, in one transaction. Needs {@link settle} before the next. */
  pin(batches: readonly Batch[], tables: readonly TableRows[]): void {
    this.#transaction(() => {
      const { id, batches: number } = z
        .object({ id: z.string(), batches: z.number() })
        .parse(this.#database.prepare("UPDATE ledger SET batches = batches + 1 RETURNING id, batches").get());
      for (const batch of batches) {
        this.#move(batch);
      }
      const insert = this.#database.prepare("INSERT INTO pending (token, table_name, rows) VALUES (?, ?, ?)");
      for (const { table, rows } of tables) {
        insert.run(`follower:${id}:${number}:${table}`, table, JSON.stringify(rows));
      }
    });
  }

  /** The pinned inserts have reached ClickHouse. */
  settle(): void {
    this.#database.exec("DELETE FROM pending");
  }

  close(): void {
    this.#database.close();
  }

  #move({ position, seen, beats, forgetUpTo }: Batch): void {
    const { source } = position;
    this.#database
      .prepare("INSERT OR REPLACE INTO position (source, topic_id, next_offset, log_time) VALUES (?, ?, ?, ?)")
      .run(source, position.topicId, position.nextOffset, position.logTime);
    const keepSeen = this.#database.prepare("INSERT OR REPLACE INTO seen (source, event_id, at) VALUES (?, ?, ?)");
    for (const [eventId, at] of seen) {
      keepSeen.run(source, eventId, at);
    }
    const keepBeat = this.#database.prepare(
      "INSERT OR REPLACE INTO beat (source, session, newest, heard_at) VALUES (?, ?, ?, ?)",
    );
    for (const [session, { newest, heardAt }] of beats) {
      keepBeat.run(source, session, newest, heardAt);
    }
    this.#database.prepare("DELETE FROM seen WHERE source = ? AND at <= ?").run(source, forgetUpTo);
    this.#database.prepare("DELETE FROM beat WHERE source = ? AND heard_at <= ?").run(source, forgetUpTo);
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
