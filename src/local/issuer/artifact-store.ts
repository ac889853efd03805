// What the provider remembers (sessions, grants, codes, refresh tokens) in SQLite, so that a restart signs nobody out.
import { DatabaseSync } from "node:sqlite";
import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";

/** An open store. */
export interface ArtifactStore {
  /** One adapter per kind of artifact, as the provider wants them. */
  readonly adapter: AdapterFactory;
  close(): void;
}

/** Opens the store, creating it when it is not there. Expired artifacts are swept on opening. */
export function openArtifactStore(file: string): ArtifactStore {
  const database = new DatabaseSync(file);
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS artifact (
      model TEXT, id TEXT, payload TEXT NOT NULL, grant_id TEXT, uid TEXT, user_code TEXT,
      expires_at REAL, consumed_at REAL, PRIMARY KEY (model, id)
    );
    CREATE INDEX IF NOT EXISTS artifact_by_grant ON artifact (grant_id);
  `);
  database.prepare("DELETE FROM artifact WHERE expires_at < ?").run(epochSeconds());
  return { adapter: (model) => new ArtifactAdapter(database, model), close: () => database.close() };
}

class ArtifactAdapter implements Adapter {
  readonly #database: DatabaseSync;
  readonly #model: string;

  constructor(database: DatabaseSync, model: string) {
    this.#database = database;
    this.#model = model;
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    this.#database
      .prepare("INSERT OR REPLACE INTO artifact VALUES (?, ?, ?, ?, ?, ?, ?, NULL)")
      .run(
        this.#model,
        id,
        JSON.stringify(payload),
        payload.grantId ?? null,
        payload.uid ?? null,
        payload.userCode ?? null,
        expiresInSeconds === undefined ? null : epochSeconds() + expiresInSeconds,
      );
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.#findBy("id", id);
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#findBy("uid", uid);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#findBy("user_code", userCode);
  }

  async consume(id: string): Promise<void> {
    this.#database
      .prepare("UPDATE artifact SET consumed_at = ? WHERE model = ? AND id = ?")
      .run(epochSeconds(), this.#model, id);
  }

  async destroy(id: string): Promise<void> {
    this.#database.prepare("DELETE FROM artifact WHERE model = ? AND id = ?").run(this.#model, id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    this.#database.prepare("DELETE FROM artifact WHERE model = ? AND grant_id = ?").run(this.#model, grantId);
  }

  #findBy(column: "id" | "uid" | "user_code", value: string): AdapterPayload | undefined {
    const row = this.#database
      .prepare(
        `SELECT payload, consumed_at FROM artifact
         WHERE model = ? AND ${column} = ? AND (expires_at IS NULL OR expires_at >= ?)`,
      )
      .get(this.#model, value, epochSeconds());
    if (row === undefined) {
      return undefined;
    }
    // Only upsert writes the column, and what it writes is such a payload.
    const payload = JSON.parse(String(row["payload"])) as AdapterPayload;
    return row["consumed_at"] === null ? payload : { ...payload, consumed: Number(row["consumed_at"]) };
  }
}

function epochSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
