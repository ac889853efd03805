// A reader's durable state in its Durable Object's SQLite. Each method is one transaction; its answer reaches nobody
// before the write is durable, which `sync` waits for where the next step depends on it.
import { type CreatorId, creatorIdSchema } from "../../contract/ids.ts";
import { rareEventSchema } from "../../contract/live-rpc.ts";
import type { Clock } from "../../runtime/clock.ts";
import type {
  DeadLetter,
  ParkedEvent,
  ReaderCommit,
  ReaderStorage,
  StoredCheckpoint,
  StoredReader,
  Suspect,
} from "../ports.ts";
import { DEAD_LETTERS_PER_HOUR, hourOf } from "../read/dead-letter-buffer.ts";
import { readerTables } from "./reader-tables.ts";

/** Dead letters are kept two weeks, twice what Kafka keeps by default. */
const DEAD_LETTER_DAYS = 14;
/** At 32,768 characters each at most, half of the 10 GB that an object may store. */
const MAX_DEAD_LETTERS = 50_000;
/** Gaps kept for the administrator; older ones are dropped. */
const MAX_GAPS = 100;
const GENERATIONS = 2;

/** Reads and writes one reader's tables. */
export class SqliteReaderStorage implements ReaderStorage {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #clock: Clock;

  constructor(storage: DurableObjectStorage, clock: Clock) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#clock = clock;
    storage.transactionSync(() => {
      for (const statement of readerTables) {
        this.#sql.exec(statement);
      }
      this.#sql.exec(
        "INSERT OR IGNORE INTO reader (id, last_epoch, starts, present_at_first_start) VALUES (0, 0, 0, 0)",
      );
    });
  }

  async start(): Promise<StoredReader> {
    const stored = this.#storage.transactionSync(() => {
      this.#sql.exec("UPDATE reader SET starts = starts + 1");
      return this.#read();
    });
    await this.#storage.sync();
    return stored;
  }

  async commit({ checkpoint, deadLetters, unkept, park, gap }: ReaderCommit): Promise<void> {
    this.#storage.transactionSync(() => {
      this.#saveCheckpoint(checkpoint);
      if (deadLetters.length + unkept.length > 0) {
        deadLetters.forEach((letter) => this.#keepDeadLetter(letter));
        unkept.forEach(({ reason, hour, count }) => this.#count(reason, hour, 0, count));
        this.#dropOldDeadLetters(deadLetters.length);
      }
      for (const { creatorId, epoch, event } of park) {
        this.#sql.exec(
          "INSERT OR REPLACE INTO parked (creator_id, epoch, record_offset, event) VALUES (?, ?, ?, ?)",
          creatorId,
          epoch,
          event.offset,
          JSON.stringify(event),
        );
      }
      if (gap !== null) {
        this.#sql.exec("INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?)", gap.topicId, gap.from, gap.to, gap.at);
        this.#sql.exec(
          "DELETE FROM gap WHERE noticed_at < (SELECT min(noticed_at) FROM (SELECT noticed_at FROM gap ORDER BY noticed_at DESC LIMIT ?))",
          MAX_GAPS,
        );
      }
    });
    await this.#storage.sync();
  }

  async suspect(suspect: Suspect): Promise<void> {
    this.#sql.exec(
      "UPDATE reader SET suspect_from = ?, suspect_to = ?, suspect_deaths = ?, suspect_in_hand = ?",
      suspect.from,
      suspect.to,
      suspect.deaths,
      suspect.inHand ? 1 : 0,
    );
    await this.#storage.sync();
  }

  async stop(reason: string): Promise<void> {
    this.#sql.exec("UPDATE reader SET stopped = ?", reason);
    await this.#storage.sync();
  }

  async parkedEvents(creatorId: CreatorId, limit: number): Promise<readonly ParkedEvent[]> {
    const rows = this.#sql.exec<{ epoch: number; event: string }>(
      "SELECT epoch, event FROM parked WHERE creator_id = ? ORDER BY epoch, record_offset LIMIT ?",
      creatorId,
      limit,
    );
    return rows.toArray().map(({ epoch, event }) => ({
      creatorId,
      epoch,
      event: rareEventSchema.parse(JSON.parse(event)),
    }));
  }

  async unpark(creatorId: CreatorId, epoch: number, below: number): Promise<void> {
    this.#sql.exec(
      "DELETE FROM parked WHERE creator_id = ? AND epoch = ? AND record_offset < ?",
      creatorId,
      epoch,
      below,
    );
    await this.#storage.sync();
  }

  #read(): StoredReader {
    const row = this.#sql
      .exec<{
        last_epoch: number;
        starts: number;
        stopped: string | null;
        present_at_first_start: number;
        suspect_from: number | null;
        suspect_to: number | null;
        suspect_deaths: number | null;
        suspect_in_hand: number | null;
      }>("SELECT * FROM reader")
      .one();
    const { suspect_from: from, suspect_to: to } = row;
    const parked = this.#sql.exec<{ creator_id: string; events: number }>(
      "SELECT creator_id, count(*) AS events FROM parked GROUP BY creator_id",
    );
    return {
      checkpoints: this.#checkpoints(),
      lastEpoch: row.last_epoch,
      starts: row.starts,
      suspect:
        from === null || to === null
          ? null
          : { from, to, deaths: row.suspect_deaths ?? 0, inHand: row.suspect_in_hand === 1 },
      stopped: row.stopped,
      presentAtFirstStart: row.present_at_first_start === 1,
      parked: parked
        .toArray()
        .map(({ creator_id: creatorId, events }) => ({ creatorId: creatorIdSchema.parse(creatorId), events })),
    };
  }

  #checkpoints(): StoredCheckpoint[] {
    const generations = this.#sql
      .exec<{ generation: number; topic_id: string; epoch: number; next_offset: number }>(
        "SELECT generation, topic_id, epoch, next_offset FROM checkpoint ORDER BY generation DESC",
      )
      .toArray();
    return generations.map(({ generation, topic_id: topicId, epoch, next_offset: offset }) => ({
      position: { topicId, epoch, offset },
      slices: this.#sql
        .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM slice WHERE generation = ? ORDER BY part", generation)
        .toArray()
        .map(({ bytes }) => new Uint8Array(bytes)),
    }));
  }

  #saveCheckpoint({ position, slices }: StoredCheckpoint): void {
    const newest = this.#sql
      .exec<{ generation: number; epoch: number }>(
        "SELECT generation, epoch FROM checkpoint ORDER BY generation DESC LIMIT 1",
      )
      .toArray()[0];
    const generation = (newest?.generation ?? 0) + 1;
    // An older generation of another epoch would bring back what was replaced.
    const oldestKept = newest?.epoch === position.epoch ? generation - GENERATIONS + 1 : generation;
    this.#sql.exec(
      "INSERT INTO checkpoint (generation, topic_id, epoch, next_offset) VALUES (?, ?, ?, ?)",
      generation,
      position.topicId,
      position.epoch,
      position.offset,
    );
    slices.forEach((bytes, part) =>
      this.#sql.exec("INSERT INTO slice (generation, part, bytes) VALUES (?, ?, ?)", generation, part, bytes),
    );
    this.#sql.exec("DELETE FROM slice WHERE generation < ?", oldestKept);
    this.#sql.exec("DELETE FROM checkpoint WHERE generation < ?", oldestKept);
    this.#sql.exec("UPDATE reader SET starts = 0, last_epoch = max(last_epoch, ?)", position.epoch);
    this.#sql.exec("UPDATE reader SET suspect_from = NULL, suspect_to = NULL WHERE suspect_to <= ?", position.offset);
  }

  #keepDeadLetter(letter: DeadLetter): void {
    const hour = hourOf(this.#clock.now());
    const [counted] = this.#sql
      .exec<{ kept: number }>("SELECT kept FROM dead_letter_count WHERE reason = ? AND hour = ?", letter.reason, hour)
      .toArray();
    if ((counted?.kept ?? 0) >= DEAD_LETTERS_PER_HOUR) {
      this.#count(letter.reason, hour, 0, 1);
      return;
    }
    const { rowsWritten } = this.#sql.exec(
      `INSERT OR IGNORE INTO dead_letter
         (topic_id, record_offset, timestamp, hour, reason, detail, key, value, truncated)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      letter.topicId,
      letter.offset,
      letter.timestamp,
      hour,
      letter.reason,
      letter.detail,
      letter.key,
      letter.value,
      letter.truncated ? 1 : 0,
    );
    if (rowsWritten > 0) {
      this.#count(letter.reason, hour, 1, 0);
    }
  }

  /** Drops faster than letters come, and never so many at once that a commit takes long. */
  #dropOldDeadLetters(added: number): void {
    const oldest = hourOf(this.#clock.now()) - DEAD_LETTER_DAYS * 24;
    this.#sql.exec(
      `DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter ORDER BY id LIMIT ?)
         AND (hour < ? OR id <= (SELECT max(id) FROM dead_letter) - ?)`,
      10 * added,
      oldest,
      MAX_DEAD_LETTERS,
    );
    this.#sql.exec("DELETE FROM dead_letter_count WHERE hour < ?", oldest);
  }

  #count(reason: string, hour: number, kept: number, unkept: number): void {
    this.#sql.exec(
      `INSERT INTO dead_letter_count (reason, hour, kept, unkept) VALUES (?, ?, ?, ?)
       ON CONFLICT (reason, hour) DO UPDATE SET kept = kept + excluded.kept, unkept = unkept + excluded.unkept`,
      reason,
      hour,
      kept,
      unkept,
    );
  }
}
