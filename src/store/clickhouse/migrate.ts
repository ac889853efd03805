// Applies the numbered SQL through the same HTTP driver that the Worker uses. Node only. Running it again changes
// nothing. ClickHouse has no transaction for it: every statement may be repeated, so that a file that was applied in part
// is applied again as a whole.
import { readdir, readFile } from "node:fs/promises";
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from "@clickhouse/client-web";
import { Umzug, type UmzugStorage } from "umzug";
import { z } from "zod";
import type { ClickHouseConnection } from "./analytics.ts";

const folder = new URL("./migrations/", import.meta.url);
/** Creating a table on a busy machine; a migration changes no data. */
const STATEMENT_TIMEOUT_MS = 60_000;

/**
 * Brings the database up to date.
 * @param connection a user that may create tables
 * @returns the names of the files that were applied now
 */
export async function migrateClickHouse(connection: ClickHouseConnection): Promise<string[]> {
  const client = createClient({
    ...connection,
    request_timeout: STATEMENT_TIMEOUT_MS,
    log: { level: ClickHouseLogLevel.OFF },
  });
  try {
    await client.command({
      query: `CREATE TABLE IF NOT EXISTS schema_migrations (name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
              ENGINE = ReplacingMergeTree ORDER BY name`,
    });
    const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).toSorted();
    const migrations = files.map((file) => ({
      name: file.slice(0, -".sql".length),
      up: async () => {
        for (const query of statementsOf(await readFile(new URL(file, folder), "utf8"))) {
          await client.command({ query });
        }
      },
    }));
    const applied = await new Umzug({ migrations, storage: storageOf(client), logger: undefined }).up();
    return applied.map(({ name }) => name);
  } finally {
    await client.close();
  }
}

/** The statements of a file: each ends with a semicolon at the end of a line. */
function statementsOf(file: string): string[] {
  return file
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

const namesSchema = z.array(z.object({ name: z.string() }));

function storageOf(client: ClickHouseClient): UmzugStorage<object> {
  return {
    executed: async () => {
      const result = await client.query({
        query: "SELECT DISTINCT name FROM schema_migrations ORDER BY name",
        format: "JSONEachRow",
      });
      return namesSchema.parse(await result.json()).map(({ name }) => name);
    },
    logMigration: async ({ name }) => {
      await client.insert({ table: "schema_migrations", values: [{ name }], format: "JSONEachRow" });
    },
    unlogMigration: () => Promise.reject(new Error("migrations are never taken back: write a new one")),
  };
}
