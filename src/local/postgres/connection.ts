// One Postgres session on PGlite, spoken to in the wire protocol's text format: a parameter is text whose type the
// server infers, a value is Postgres's own text output. Nothing here converts, so nothing can differ from a server.
import { PGlite, messages, protocol } from "@electric-sql/pglite";

/** A parameter or a value in Postgres's text format; null is SQL NULL. */
export type PostgresText = string | null;

/** A result column, as RowDescription has it. */
export interface PostgresField {
  readonly name: string;
  readonly dataTypeID: number;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
  readonly format: "text";
}

/** What one statement answered. */
export interface PostgresResult {
  /** First word of the command tag, such as INSERT; empty for an empty statement. */
  readonly command: string;
  /** Rows affected or returned; null where the command has no count. */
  readonly rowCount: number | null;
  readonly fields: readonly PostgresField[];
  readonly rows: readonly (readonly PostgresText[])[];
}

/** The fields of an ErrorResponse, under the names that `pg` and Neon give them. */
export interface PostgresErrorFields {
  readonly message: string;
  readonly severity: string;
  readonly code: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly position?: string | undefined;
  readonly internalPosition?: string | undefined;
  readonly internalQuery?: string | undefined;
  readonly where?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly dataType?: string | undefined;
  readonly constraint?: string | undefined;
  readonly file?: string | undefined;
  readonly line?: string | undefined;
  readonly routine?: string | undefined;
}

/** Postgres refused a statement; the session is usable. */
export class PostgresError extends Error {
  override readonly name = "PostgresError";
  readonly fields: PostgresErrorFields;

  constructor(fields: PostgresErrorFields) {
    super(fields.message);
    this.fields = fields;
  }
}

/** COPY's own sub-protocol would leave the session waiting for data that no request can send. */
const COPY = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|;)*copy\b/i;

/** A Postgres session. Callers take turns: one statement at a time. */
export class PostgresConnection {
  readonly #engine: PGlite;
  #isInTransaction = false;

  private constructor(engine: PGlite) {
    this.#engine = engine;
  }

  /**
   * Opens the database, creating it when it is not there.
   * @param dataFolder where it lives; in memory when undefined
   */
  static async open(dataFolder: string | undefined, database: string): Promise<PostgresConnection> {
    const place = dataFolder === undefined ? {} : { dataDir: dataFolder };
    const first = await PGlite.create(place);
    if (database === "postgres") {
      return new PostgresConnection(first);
    }
    const known = await first.query("SELECT 1 FROM pg_database WHERE datname = $1", [database]);
    if (known.rows.length === 0) {
      await first.exec(`CREATE DATABASE ${quoteIdentifier(database)}`);
    }
    if (dataFolder === undefined) {
      const loadDataDir = await first.dumpDataDir("none");
      await first.close();
      return new PostgresConnection(await PGlite.create({ loadDataDir, database }));
    }
    await first.close();
    return new PostgresConnection(await PGlite.create({ ...place, database }));
  }

  /**
   * Runs exactly one statement.
   * @throws PostgresError when Postgres refuses it; any other error means that the engine has stopped
   */
  async run(query: string, parameters: readonly PostgresText[] = []): Promise<PostgresResult> {
    if (COPY.test(query)) {
      throw new PostgresError({ severity: "ERROR", code: "0A000", message: "COPY is not supported over HTTP" });
    }
    const { serialize } = protocol;
    const { messages: answers } = await this.#engine.execProtocol(
      Buffer.concat([
        serialize.parse({ text: query }),
        serialize.bind({ values: [...parameters] }),
        serialize.describe({ type: "P" }),
        serialize.execute({}),
        serialize.sync(),
      ]),
      { throwOnError: false },
    );
    let fields: PostgresField[] = [];
    let tag = "";
    const rows: PostgresText[][] = [];
    let refusal: PostgresError | undefined;
    for (const answer of answers) {
      if (answer instanceof messages.DatabaseError) {
        refusal = new PostgresError(errorFields(answer));
      } else if (answer instanceof messages.RowDescriptionMessage) {
        fields = answer.fields.map((field) => ({
          name: field.name,
          dataTypeID: field.dataTypeID,
          tableID: field.tableID,
          columnID: field.columnID,
          dataTypeSize: field.dataTypeSize,
          dataTypeModifier: field.dataTypeModifier,
          format: "text",
        }));
      } else if (answer instanceof messages.DataRowMessage) {
        rows.push(answer.fields);
      } else if (answer instanceof messages.CommandCompleteMessage) {
        tag = answer.text;
      } else if (answer instanceof messages.ReadyForQueryMessage) {
        this.#isInTransaction = answer.status !== "I";
      }
    }
    if (refusal !== undefined) {
      throw refusal;
    }
    return { ...readCommandTag(tag), fields, rows };
  }

  /** Whether a transaction is open, failed ones included. */
  get isInTransaction(): boolean {
    return this.#isInTransaction;
  }

  async close(): Promise<void> {
    await this.#engine.close();
  }
}

/** An SQL identifier that means exactly this name. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `INSERT 0 3` counts in its third word, every other command in its second; `CREATE TABLE` has no count. */
function readCommandTag(tag: string): { command: string; rowCount: number | null } {
  const [command = "", second, third] = tag.split(" ");
  const count = command === "INSERT" ? third : second;
  return { command, rowCount: count !== undefined && /^\d+$/.test(count) ? Number(count) : null };
}

function errorFields(error: messages.DatabaseError): PostgresErrorFields {
  return {
    message: error.message,
    severity: error.severity ?? "ERROR",
    code: error.code ?? "XX000",
    detail: error.detail,
    hint: error.hint,
    position: error.position,
    internalPosition: error.internalPosition,
    internalQuery: error.internalQuery,
    where: error.where,
    schema: error.schema,
    table: error.table,
    column: error.column,
    dataType: error.dataType,
    constraint: error.constraint,
    file: error.file,
    line: error.line,
    routine: error.routine,
  };
}
