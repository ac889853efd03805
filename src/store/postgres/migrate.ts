// Applies the numbered SQL through the same HTTP driver that the Worker uses. Node only. Running it again changes
// nothing; a file is applied as a whole or not at all; two runs at once end in the same state as one.
import { readdir, readFile } from "node:fs/promises";
import { neon } from "@neondatabase/serverless";
import { Umzug, type RunnableMigration, type UmzugStorage } from "umzug";
import { pointDriverAt } from "./neon-address.ts";
import type { PostgresConnection } from "./postgres.ts";

/** What to apply. */
export interface MigrateOptions {
  /**
   * Also create the tables that other services own and we only read. For development and tests: in production they are
   * there already.
   */
  readonly readContract?: boolean;
}

/** Held until the transaction ends. */
const ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('schema_migrations', 0))";

/** Runs statements in one transaction, or one statement alone. */
type Run = (statements: { text: string; parameters?: string[] }[]) => Promise<Record<string, unknown>[][]>;

/**
 * Brings the database up to date.
 * @param connection a user that owns the tables and may create roles
 * @returns the names of the files that were applied now
 */
export async function migratePostgres(connection: PostgresConnection, options: MigrateOptions = {}): Promise<string[]> {
  const run = runner(connection);
  await run([
    // Two that create the same table at once: one would fail in the system catalogue, IF NOT EXISTS or not.
    { text: ONE_AT_A_TIME },
    {
      text: "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
    },
  ]);
  const folders = ["migrations", ...(options.readContract === true ? ["read-contract"] : [])];
  const migrations = (await Promise.all(folders.map((folder) => migrationsIn(folder, run)))).flat();
  const applied = await new Umzug({ migrations, storage: storageOf(run), logger: undefined }).up();
  return applied.map(({ name }) => name);
}

function runner(connection: PostgresConnection): Run {
  const sql = neon(connection.connectionString);
  return (statements) => {
    pointDriverAt(connection);
    return sql.transaction(statements.map(({ text, parameters = [] }) => sql.query(text, parameters)));
  };
}

async function migrationsIn(folder: string, run: Run): Promise<RunnableMigration<unknown>[]> {
  const place = new URL(`./${folder}/`, import.meta.url);
  const files = (await readdir(place)).filter((file) => file.endsWith(".sql")).toSorted();
  return files.map((file) => {
    const name = `${folder}/${file.slice(0, -".sql".length)}`;
    return { name, up: async () => apply(name, await readFile(new URL(file, place), "utf8"), run) };
  });
}

/** One transaction: the lock, the record that refuses a second application, the statements. */
async function apply(name: string, file: string, run: Run): Promise<void> {
  try {
    await run([
      { text: ONE_AT_A_TIME },
      { text: "INSERT INTO schema_migrations (name) VALUES ($1)", parameters: [name] },
      ...statementsOf(file).map((text) => ({ text })),
    ]);
  } catch (error) {
    // Another run was faster: its record is there, and ours was refused before any statement.
    if ((await storageOf(run).executed({ context: {} })).includes(name)) {
      return;
    }
    throw new Error(`${name} could not be applied: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** The statements of a file: its paragraphs, but for those that are only comments. */
function statementsOf(file: string): string[] {
  return file.split(/\n\s*\n/).filter((paragraph) => paragraph.replaceAll(/^\s*--.*$/gm, "").trim() !== "");
}

/** A migration records itself in its own transaction, so that nothing is left to log afterwards. */
function storageOf(run: Run): UmzugStorage<object> {
  return {
    executed: async () => {
      const [rows = []] = await run([{ text: "SELECT name FROM schema_migrations ORDER BY name" }]);
      return rows.map(({ name }) => String(name));
    },
    logMigration: () => Promise.resolve(),
    unlogMigration: () => Promise.reject(new Error("migrations are never taken back: write a new one")),
  };
}
