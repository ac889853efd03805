// What the watch list keeps in its SQLite: leases and the expected sources. Versions are not kept: a new instance is a
// new incarnation, whose first answer to a reader is the whole list.
import { z } from "zod";
import { creatorIdSchema, sourceSchema, type CreatorId, type Source } from "../contract/ids.ts";
import type { Watcher } from "./watchers.ts";
import { migrate, type SqlDatabase } from "./sql-database.ts";

/** Append-only: an applied statement is never edited. */
const migrations = [
  "CREATE TABLE leases (creator_id TEXT PRIMARY KEY, lease TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE expected_sources (source TEXT PRIMARY KEY) WITHOUT ROWID",
];

const storedLeaseSchema = z.object({
  hubIncarnation: z.string(),
  sources: z.array(sourceSchema),
  complete: z.boolean(),
  revision: z.number(),
});

type StoredLeaseRow = z.infer<typeof storedLeaseSchema>;

/** A lease as stored. When it was renewed is not: after a restart it gets its whole term again. */
export type StoredLease = Omit<Watcher, "number" | "renewedAt">;

/** The watch list's storage. */
export class WatchListStorage {
  readonly #database: SqlDatabase;

  /** Brings the schema up to date. */
  constructor(database: SqlDatabase) {
    this.#database = database;
    migrate(database, migrations);
  }

  leases(): StoredLease[] {
    return this.#database.all("SELECT creator_id, lease FROM leases").flatMap((row) => {
      const lease = storedLeaseSchema.safeParse(JSON.parse(String(row["lease"])));
      const creatorId = creatorIdSchema.safeParse(row["creator_id"]);
      return lease.success && creatorId.success ? [{ creatorId: creatorId.data, ...lease.data }] : [];
    });
  }

  saveLease({ creatorId, hubIncarnation, sources, complete, revision }: StoredLease): void {
    this.#database.all(
      "INSERT INTO leases (creator_id, lease) VALUES (?, ?) ON CONFLICT DO UPDATE SET lease = excluded.lease",
      creatorId,
      JSON.stringify({ hubIncarnation, sources: [...sources], complete, revision } satisfies StoredLeaseRow),
    );
  }

  deleteLease(creatorId: CreatorId): void {
    this.#database.all("DELETE FROM leases WHERE creator_id = ?", creatorId);
  }

  expectedSources(): Source[] {
    const rows = this.#database.all("SELECT source FROM expected_sources ORDER BY source");
    return z
      .array(z.object({ source: sourceSchema }))
      .parse(rows)
      .map(({ source }) => source);
  }

  saveExpectedSources(sources: readonly Source[]): void {
    this.#database.transaction(() => {
      this.#database.all("DELETE FROM expected_sources");
      for (const source of sources) {
        this.#database.all("INSERT INTO expected_sources (source) VALUES (?) ON CONFLICT DO NOTHING", source);
      }
    });
  }
}
