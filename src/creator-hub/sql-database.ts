// The SQLite of a Durable Object as a port, so that the same statements run in Node's SQLite under simulation, and the
// migrations of its schema.
import { z } from "zod";

/** A value that SQLite stores and our statements use. */
export type SqlValue = string | number | null;

/** A synchronous SQLite database. */
export interface SqlDatabase {
  /** Runs one statement with positional parameters and returns its rows. */
  all(statement: string, ...parameters: SqlValue[]): Record<string, unknown>[];
  /** Runs the work as one atomic transaction: a throw undoes it. */
  transaction<T>(work: () => T): T;
}

const migrationRowSchema = z.object({ number: z.number(), statement: z.string() });

/**
 * Applies the migrations that are not yet applied, in order, each in a transaction.
 * @param migrations one statement each, append-only; throws when an applied one has been edited or is gone
 */
export function migrate(database: SqlDatabase, migrations: readonly string[]): void {
  database.all("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, statement TEXT NOT NULL)");
  const rows = database.all("SELECT number, statement FROM migrations ORDER BY number");
  const applied = z.array(migrationRowSchema).parse(rows);
  for (const { number, statement } of applied) {
    // A newer deployment's migrations beyond ours are fine: columns are only ever added.
    if (number < migrations.length && migrations[number] !== statement) {
      throw new Error(`migration ${number} was edited after it had been applied`);
    }
  }
  for (const [number, statement] of migrations.entries()) {
    if (number >= applied.length) {
      database.transaction(() => {
        database.all(statement);
        database.all("INSERT INTO migrations (number, statement) VALUES (?, ?)", number, statement);
      });
    }
  }
}
