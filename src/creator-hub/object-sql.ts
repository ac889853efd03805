// A Durable Object's own SQLite as the database port.
import type { SqlDatabase } from "./sql-database.ts";

/** The database of the object with this storage. Writes without an `await` between them are one transaction anyway. */
export function objectSql(storage: DurableObjectStorage): SqlDatabase {
  return {
    all: (statement, ...parameters) => storage.sql.exec(statement, ...parameters).toArray(),
    transaction: (work) => storage.transactionSync(work),
  };
}
