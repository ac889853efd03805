// Many logins on the one connection, each as if it had its own: a request logs in as its role with that role's rights
// and leaves nothing behind. Requests queue; one whose client has left before its turn never runs.
import { PostgresConnection, PostgresError, quoteIdentifier, type PostgresResult } from "./connection.ts";
import { matchesScramVerifier } from "./scram.ts";
import type { Login, SqlRequest } from "./sql-request.ts";

/** PGlite's bootstrap superuser, who may become any role. */
const BOOTSTRAP_ROLE = "postgres";

/** Whether the client that waits for an answer is still there. */
export interface Client {
  readonly hasLeft: boolean;
}

/** The client left, so its work was not done, or was rolled back. */
export class ClientLeft extends Error {
  override readonly name = "ClientLeft";
}

/** Runs requests one after another, each under its own role. */
export class PostgresSessions {
  readonly #connection: PostgresConnection;
  readonly #database: string;
  /** Per role the last password that matched which verifier: deriving a key takes milliseconds on every request. */
  readonly #verified = new Map<string, { password: string; verifier: string }>();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(connection: PostgresConnection, database: string) {
    this.#connection = connection;
    this.#database = database;
  }

  /** Opens the database and makes sure that its owner can log in with this password. */
  static async open(dataFolder: string | undefined, owner: Login): Promise<PostgresSessions> {
    const connection = await PostgresConnection.open(dataFolder, owner.database);
    const role = quoteIdentifier(owner.user);
    const known = await connection.run("SELECT 1 FROM pg_roles WHERE rolname = $1", [owner.user]);
    if (known.rows.length === 0) {
      await connection.run(`CREATE ROLE ${role} LOGIN SUPERUSER`);
    }
    // Utility statements take no parameters: the server quotes the literal.
    const quoted = await connection.run("SELECT quote_literal($1)", [owner.password]);
    await connection.run(`ALTER ROLE ${role} PASSWORD ${quoted.rows[0]?.[0] ?? "NULL"}`);
    return new PostgresSessions(connection, owner.database);
  }

  /**
   * Waits for its turn, then runs the request as the role that logs in.
   * @throws PostgresError for a refused login or statement; ClientLeft
   */
  async run(login: Login, request: SqlRequest, client: Client): Promise<PostgresResult[]> {
    const result = this.#turn.then(() => this.#runNow(login, request, client));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Lets the running request finish, then closes the database. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#connection.close();
  }

  async #runNow(login: Login, request: SqlRequest, client: Client): Promise<PostgresResult[]> {
    await this.#authenticate(login);
    await this.#connection.run(`SET SESSION AUTHORIZATION ${quoteIdentifier(login.user)}`);
    try {
      return await (request.begin === null
        ? this.#runEach(request, client)
        : this.#runTransaction(request.begin, request, client));
    } finally {
      await this.#reset();
    }
  }

  async #runTransaction(begin: string, request: SqlRequest, client: Client): Promise<PostgresResult[]> {
    await this.#connection.run(begin);
    const results = await this.#runEach(request, client);
    await this.#connection.run("COMMIT");
    return results;
  }

  async #runEach(request: SqlRequest, client: Client): Promise<PostgresResult[]> {
    const results: PostgresResult[] = [];
    for (const { query, params } of request.queries) {
      if (client.hasLeft) {
        throw new ClientLeft();
      }
      results.push(await this.#connection.run(query, params));
      // The engine computes on this thread: without a breath here a long batch would never see its client leave.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return results;
  }

  async #authenticate({ user, password, database }: Login): Promise<void> {
    const found = await this.#connection.run("SELECT rolpassword FROM pg_authid WHERE rolname = $1 AND rolcanlogin", [
      user,
    ]);
    const verifier = found.rows[0]?.[0] ?? "";
    const last = this.#verified.get(user);
    const isKnown = last?.password === password && last.verifier === verifier;
    if (!isKnown && !(await matchesScramVerifier(password, verifier))) {
      throw new PostgresError({
        severity: "FATAL",
        code: "28P01",
        message: `password authentication failed for user "${user}"`,
      });
    }
    this.#verified.set(user, { password, verifier });
    if (database !== this.#database) {
      throw new PostgresError({ severity: "FATAL", code: "3D000", message: `database "${database}" does not exist` });
    }
  }

  /** What a new connection would find: no transaction, no settings, no temporary tables, no locks, no borrowed role. */
  async #reset(): Promise<void> {
    if (this.#connection.isInTransaction) {
      await this.#connection.run("ROLLBACK");
    }
    await this.#connection.run(`SET SESSION AUTHORIZATION ${quoteIdentifier(BOOTSTRAP_ROLE)}`);
    await this.#connection.run("DISCARD ALL");
  }
}
