// Node's SQLite as the database port of hubs and the watch list: the same statements as in a Durable Object.
import { DatabaseSync } from "node:sqlite";
import type { SqlDatabase } from "../../../src/creator-hub/sql-database.ts";

/** A database in memory. It outlives the objects built on it, as a Durable Object's does. */
export function memorySql(): SqlDatabase {
  const database = new DatabaseSync(":memory:");
  return {
    all: (statement, ...parameters) => database.prepare(statement).all(...parameters),
    transaction: (work) => {
      // A savepoint, since one transaction of ours may be within another.
      database.exec("SAVEPOINT work");
      try {
        const result = work();
        database.exec("RELEASE work");
        return result;
      } catch (error) {
        database.exec("ROLLBACK TO work; RELEASE work");
        throw error;
      }
    },
  };
}
