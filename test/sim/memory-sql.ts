// A Durable Object's SQLite as Node's own in memory: the product's very statements run on it.
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { SqlDatabase, SqlValue } from "../../src/creator-hub/sql-database.ts";

/** The SQLite of one object, which outlives its instances. */
export class MemorySql implements SqlDatabase {
  readonly #database = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;
  /** Called after each commit: what was written is durable, and the object may die before it does anything else. */
  onCommit: () => void = () => undefined;

  all(statement: string, ...parameters: SqlValue[]): Record<string, unknown>[] {
    let prepared = this.#statements.get(statement);
    if (!prepared) {
      prepared = this.#database.prepare(statement);
      this.#statements.set(statement, prepared);
    }
    const rows = prepared.all(...parameters);
    if (this.#depth === 0 && !statement.startsWith("SELECT")) {
      this.onCommit();
    }
    return rows;
  }

  transaction<T>(work: () => T): T {
    const result = this.#savepoint(work);
    if (this.#depth === 0) {
      this.onCommit();
    }
    return result;
  }

  #savepoint<T>(work: () => T): T {
    const savepoint = `s${this.#depth++}`;
    this.#database.exec(`SAVEPOINT ${savepoint}`);
    try {
      const result = work();
      this.#database.exec(`RELEASE ${savepoint}`);
      return result;
    } catch (error) {
      this.#database.exec(`ROLLBACK TO ${savepoint}`);
      this.#database.exec(`RELEASE ${savepoint}`);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  close(): void {
    this.#database.close();
  }
}
