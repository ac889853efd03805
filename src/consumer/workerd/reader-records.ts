// What an administrator asks of a reader's tables, and what the supervisor sets in them.
import { type CreatorId, creatorIdSchema } from "../../contract/ids.ts";
import type { DeadLetterReason, Gap } from "../ports.ts";
import type { DeadLetterCounts } from "../read/status-line.ts";

/** A stored dead letter. */
export interface StoredDeadLetter {
  readonly id: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly reason: string;
  readonly detail: string;
  readonly key: string;
  readonly value: string;
  readonly truncated: boolean;
  /** When it was last produced again, ms since the epoch. */
  readonly replayedAt: number | null;
}

/** The most dead letters listed at once. */
export const MAX_LISTED = 500;

/** Reads a reader's records for an administrator. */
export class ReaderRecords {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** Dead letters in the order in which they were found, those after an id, optionally of one reason. */
  deadLetters(afterId: number, limit: number, reason?: string): StoredDeadLetter[] {
    const rows = this.#sql.exec<{
      id: number;
      record_offset: number;
      timestamp: number;
      reason: DeadLetterReason;
      detail: string;
      key: string;
      value: string;
      truncated: number;
      replayed_at: number | null;
    }>(
      "SELECT * FROM dead_letter WHERE id > ? AND (? IS NULL OR reason = ?) ORDER BY id LIMIT ?",
      afterId,
      reason ?? null,
      reason ?? null,
      Math.min(limit, MAX_LISTED),
    );
    return rows.toArray().map((row) => ({
      id: row.id,
      offset: row.record_offset,
      timestamp: row.timestamp,
      reason: row.reason,
      detail: row.detail,
      key: row.key,
      value: row.value,
      truncated: row.truncated === 1,
      replayedAt: row.replayed_at,
    }));
  }

  /** Notes that a dead letter was produced again. */
  replayed(id: number, at: number): void {
    this.#sql.exec("UPDATE dead_letter SET replayed_at = ? WHERE id = ?", at, id);
  }

  /** Dead letters by reason, kept and merely counted, as long as letters are kept. */
  deadLetterCounts(): DeadLetterCounts {
    const rows = this.#sql.exec<{ reason: string; kept: number; unkept: number }>(
      "SELECT reason, sum(kept) AS kept, sum(unkept) AS unkept FROM dead_letter_count GROUP BY reason",
    );
    return Object.fromEntries(rows.toArray().map(({ reason, kept, unkept }) => [reason, { kept, unkept }]));
  }

  /** Records lost to retention, newest first. */
  gaps(): Gap[] {
    const rows = this.#sql.exec<{ topic_id: string; from_offset: number; to_offset: number; noticed_at: number }>(
      "SELECT * FROM gap ORDER BY noticed_at DESC",
    );
    return rows
      .toArray()
      .map((row) => ({ topicId: row.topic_id, from: row.from_offset, to: row.to_offset, at: row.noticed_at }));
  }

  /** Creators with parked events. */
  parked(): { creatorId: CreatorId; events: number }[] {
    const rows = this.#sql.exec<{ creator_id: string; events: number }>(
      "SELECT creator_id, count(*) AS events FROM parked GROUP BY creator_id ORDER BY events DESC LIMIT 100",
    );
    return rows
      .toArray()
      .map(({ creator_id: creatorId, events }) => ({ creatorId: creatorIdSchema.parse(creatorId), events }));
  }

  /** Whether this topic-partition was there at the deployment's first start; told before the first start only. */
  tellPresentAtFirstStart(isPresent: boolean): void {
    this.#sql.exec("UPDATE reader SET present_at_first_start = ? WHERE last_epoch = 0", isPresent ? 1 : 0);
  }

  /** Forgets checkpoints and a stop: the next start begins anew, at the earliest record, under a new epoch. */
  reset(): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("DELETE FROM slice");
      this.#sql.exec("DELETE FROM checkpoint");
      this.#sql.exec(
        "UPDATE reader SET stopped = NULL, starts = 0, present_at_first_start = 0, suspect_from = NULL, suspect_to = NULL",
      );
    });
  }
}
