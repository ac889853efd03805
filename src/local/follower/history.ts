// ClickHouse as the follower writes it: every insert carries a token, and a table that has taken a token once takes it no
// second time, nor do the tables that its materialized views fill.
import { type ClickHouseClient, createClient } from "@clickhouse/client-web";
import type { PendingInsert } from "./ledger.ts";

const REQUEST_TIMEOUT_MS = 30_000;

/** Where the follower writes. */
export interface History {
  /** Writes rows once, however often it is called with the same token. */
  insert(insert: PendingInsert): Promise<void>;
  /** Says that everything up to `completeThrough` (ms since the Unix epoch) has been written, as of `now`. */
  progress(source: string, completeThrough: number, now: number): Promise<void>;
  close(): Promise<void>;
}

/** Writes to ClickHouse. */
export class ClickHouseHistory implements History {
  readonly #client: ClickHouseClient;

  constructor(options: { url: string; database: string; username: string; password: string }) {
    this.#client = createClient({ ...options, request_timeout: REQUEST_TIMEOUT_MS });
  }

  async insert({ table, rows, token }: PendingInsert): Promise<void> {
    await this.#client.insert({
      table,
      values: rows,
      format: "JSONEachRow",
      clickhouse_settings: {
        insert_deduplicate: 1,
        insert_deduplication_token: token,
        deduplicate_blocks_in_dependent_materialized_views: 1,
        // Viewers arrive as a JSON array and become the sketch's state in the engine.
        aggregate_function_input_format: "array",
      },
    });
  }

  async progress(source: string, completeThrough: number, now: number): Promise<void> {
    await this.#client.insert({
      table: "ingest_progress",
      values: [{ source, complete_through: dateTime(completeThrough), updated_at: dateTime(now) }],
      format: "JSONEachRow",
    });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

/** An instant as ClickHouse reads a DateTime in UTC. */
function dateTime(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}
