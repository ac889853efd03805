import { createServer, type Server } from "node:http";
import { text as textOf } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import { neon, neonConfig } from "@neondatabase/serverless";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { creatorIdSchema, type CreatorId } from "../../src/contract/ids.ts";
import { startPostgresEndpoint, type PostgresEndpoint } from "../../src/local/postgres/endpoint.ts";
import { migratePostgres } from "../../src/store/postgres/migrate.ts";
import { readPayoutSettings, savePayoutSettings } from "../../src/store/postgres/payout-settings.ts";
import { createPostgres, PostgresRefusal, type PostgresConnection } from "../../src/store/postgres/postgres.ts";
import { StoreUnavailable } from "../../src/store/store-unavailable.ts";

let endpoint: PostgresEndpoint;

beforeAll(async () => {
  endpoint = await startPostgresEndpoint();
  await migratePostgres(endpoint, { readContract: true });
  await asOwner("ALTER ROLE creator_dashboard_api LOGIN PASSWORD 'api'");
  await asOwner("ALTER ROLE payout_service LOGIN PASSWORD 'payout'");
});

afterAll(() => endpoint.close());

function ask(connection: PostgresConnection, text: string, parameters: unknown[] = []) {
  neonConfig.fetchEndpoint = connection.endpoint ?? "";
  return neon(connection.connectionString).query(text, parameters);
}

const asOwner = (text: string, parameters: unknown[] = []) => ask(endpoint, text, parameters);

/** The same database, logged in as one of the product's roles. */
function loggedInAs(role: string, password: string): PostgresConnection {
  const url = new URL(endpoint.connectionString);
  url.username = role;
  url.password = password;
  return { connectionString: url.href, endpoint: endpoint.endpoint };
}
const theApi = () => loggedInAs("creator_dashboard_api", "api");
const thePayoutService = () => loggedInAs("payout_service", "payout");

let creators = 0;
function newCreator(): CreatorId {
  creators += 1;
  return creatorIdSchema.parse(`creator_${creators}`);
}

/** A save by a creator, of a Paystack account whose name ends so. */
const saveOf = (creatorId: CreatorId, account: string, expectedVersions?: string[], key?: string) => ({
  creatorId,
  change: { currency: "NGN" as const, method: "paystack" as const, paystackAccountId: `RCP_account${account}` },
  expectedVersions,
  idempotency: key === undefined ? undefined : { key, requestHash: account },
  nowMs: Date.parse("2026-11-22T20:00:00Z"),
  holdHours: 72,
  actor: creatorId,
  requestId: `request_${account}`,
});

describe("migrations", () => {
  test("applied again change nothing", async () => {
    expect(await migratePostgres(endpoint, { readContract: true })).toEqual([]);
  });

  test("applied by several at once are applied once", async () => {
    const fresh = await startPostgresEndpoint();
    try {
      const applied = await Promise.all([1, 2, 3].map(() => migratePostgres(fresh, { readContract: true })));

      const recorded = await ask(fresh, "SELECT name FROM schema_migrations");
      expect(recorded.length).toBe(Math.max(...applied.map((names) => names.length)));
      expect(await ask(fresh, "SELECT count(*)::int AS n FROM payout_settings")).toEqual([{ n: 0 }]);
    } finally {
      await fresh.close();
    }
  });

  test("do not create what other services own, unless they are asked to", async () => {
    const fresh = await startPostgresEndpoint();
    try {
      await migratePostgres(fresh);

      const tables = await ask(fresh, "SELECT relname FROM pg_class WHERE relname IN ('content', 'revenue_entries')");
      expect(tables).toEqual([]);
    } finally {
      await fresh.close();
    }
  });
});

describe("the API's role", () => {
  test("does all that the API does", async () => {
    const postgres = createPostgres(theApi());
    const creatorId = newCreator();

    expect(await savePayoutSettings(postgres, saveOf(creatorId, "one", undefined, "key"))).toMatchObject({
      outcome: "saved",
    });
    expect(await readPayoutSettings(postgres, creatorId)).toMatchObject({ version: 1 });
  });

  test.each([
    "SELECT * FROM payout_settings_audit",
    "UPDATE payout_settings_audit SET actor = 'nobody'",
    "DELETE FROM payout_settings_audit",
    "TRUNCATE payout_settings_audit",
    "DROP TABLE payout_settings_audit",
    "SELECT * FROM notification_outbox",
    "UPDATE notification_outbox SET delivered_at = now()",
    "DELETE FROM notification_outbox",
    "DELETE FROM payout_settings",
    "UPDATE idempotency_keys SET response = '{}'",
    "UPDATE content SET title = 'x'",
    "DELETE FROM revenue_entries",
    "UPDATE payout_history SET amount_minor = 1",
    "CREATE TABLE mine (id int)",
  ])("may not: %s", async (statement) => {
    await expect(ask(theApi(), statement)).rejects.toMatchObject({ code: "42501" });
  });
});

describe("the Payout Service's role", () => {
  test("sees where to pay, in full, and whether it may", async () => {
    const creatorId = newCreator();
    const postgres = createPostgres(theApi());
    await savePayoutSettings(postgres, saveOf(creatorId, "before"));
    await savePayoutSettings(postgres, { ...saveOf(creatorId, "after", ["1"]), nowMs: Date.now() });

    const rows = await ask(thePayoutService(), "SELECT * FROM payout_destinations WHERE creator_id = $1", [creatorId]);

    expect(rows).toMatchObject([{ account_id: "RCP_accountafter", is_locked: true, version: "2" }]);
  });

  test.each(["payout_settings", "payout_settings_audit", "revenue_entries", "content", "idempotency_keys"])(
    "can read nothing else: %s",
    async (table) => {
      await expect(ask(thePayoutService(), `SELECT * FROM ${table}`)).rejects.toMatchObject({ code: "42501" });
    },
  );
});

// They queue for the one engine behind the endpoint: patience, so that only the race decides.
const patient = () => createPostgres(theApi(), 30_000);
const outcomesOf = (pair: { outcome: string }[]) =>
  pair.map(({ outcome }) => outcome).toSorted((a, b) => (a < b ? -1 : 1));

describe("saves that race", () => {
  test("of 200 pairs that expect the same version, exactly one of each wins, with one audit row and one notice", async () => {
    const postgres = patient();
    const pairs = Array.from({ length: 200 }, () => newCreator());
    const outcomes: string[][] = [];
    for (const creatorId of pairs) {
      await savePayoutSettings(postgres, saveOf(creatorId, "first"));
      outcomes.push(
        outcomesOf(
          await Promise.all(
            ["left", "right"].map((account) => savePayoutSettings(postgres, saveOf(creatorId, account, ["1"]))),
          ),
        ),
      );
    }

    expect(outcomes).toEqual(pairs.map(() => ["saved", "stale"]));
    const traces = await asOwner(
      `SELECT (SELECT count(*) FROM payout_settings_audit a WHERE a.creator_id = s.creator_id)::int AS audited,
         (SELECT count(*) FROM notification_outbox o WHERE o.creator_id = s.creator_id)::int AS announced, s.version::int
       FROM payout_settings s WHERE s.creator_id = ANY ($1)`,
      [pairs],
    );
    expect(traces).toEqual(pairs.map(() => ({ audited: 2, announced: 2, version: 2 })));
  });

  test("of 100 pairs of first settings, exactly one of each wins", async () => {
    const postgres = patient();
    const outcomes: string[][] = [];
    for (let pair = 0; pair < 100; pair += 1) {
      const creatorId = newCreator();
      outcomes.push(
        outcomesOf(
          await Promise.all(
            ["left", "right"].map((account) => savePayoutSettings(postgres, saveOf(creatorId, account))),
          ),
        ),
      );
    }

    expect(outcomes).toEqual(outcomes.map(() => ["precondition_required", "saved"]));
  });
});

test("a save whose answer was lost is told again under its key", async () => {
  const creatorId = newCreator();
  const lossy = await startProxy(endpoint.endpoint, { losesAnswers: true });
  const save = saveOf(creatorId, "one", undefined, "key");
  try {
    const postgres = createPostgres({ connectionString: theApi().connectionString, endpoint: lossy.url });
    await expect(savePayoutSettings(postgres, save)).rejects.toBeInstanceOf(StoreUnavailable);
  } finally {
    await lossy.close();
  }

  expect(await savePayoutSettings(createPostgres(theApi()), save)).toMatchObject({
    outcome: "replayed",
    settings: { version: 1 },
  });
});

/** An instant so many hours after the saves above. */
const hours = (count: number) => Date.parse("2026-11-22T20:00:00Z") + count * 3_600_000;

test("keys are kept for a day, and not for ever", async () => {
  const creatorId = newCreator();
  const postgres = createPostgres(theApi());
  await savePayoutSettings(postgres, saveOf(creatorId, "one", undefined, "old"));

  const dayAfter = await savePayoutSettings(postgres, {
    ...saveOf(creatorId, "one", undefined, "old"),
    nowMs: hours(24),
  });
  await savePayoutSettings(postgres, { ...saveOf(creatorId, "two", ["1"], "new"), nowMs: hours(24 * 8) });

  expect(dayAfter.outcome).toBe("replayed");
  expect(await asOwner("SELECT key FROM idempotency_keys WHERE creator_id = $1", [creatorId])).toEqual([
    { key: "new" },
  ]);
});

/** How Neon passes on that Postgres refused a statement. */
const refusal = (code: string) => ({ status: 400, body: JSON.stringify({ message: "no", code }) });

describe("a database that cannot serve", () => {
  const one = { name: "one", text: "SELECT 1 AS one", parameters: [], row: z.object({ one: z.literal(1) }) };
  const answered = JSON.stringify({ results: [{ fields: [{ name: "one", dataTypeID: 23 }], rows: [["1"]] }] });

  test.each([
    ["an HTML page", { status: 200, body: "<html>" }],
    ["nothing", { status: 200, body: "" }],
    ["half an answer", { status: 200, body: answered.slice(0, 40) }],
    ["no results", { status: 200, body: "{}" }],
    ["results that are null", { status: 200, body: JSON.stringify({ results: [null] }) }],
    ["another number of results", { status: 200, body: JSON.stringify({ results: [] }) }],
    ["another column", { status: 200, body: answered.replace("one", "two") }],
    ["another value", { status: 200, body: answered.replace('"1"', '"2"') }],
    ["another type", { status: 200, body: answered.replace("23", "25") }],
    ["a 400 that is no JSON", { status: 400, body: "bad" }],
    ["a 503", { status: 503, body: "busy" }],
    ["a 507", { status: 507, body: "too large" }],
    ["more than ten megabytes", { status: 200, body: `${" ".repeat(11 * 1024 * 1024)}${answered}` }],
    ["that it is out of connections", refusal("53300")],
    ["that it was cancelled", refusal("57014")],
    ["that the password is wrong", refusal("28P01")],
  ])("that answers %s is unavailable", async (_name, answer) => {
    await using server = await startAnswering(() => answer);
    const postgres = createPostgres({ ...theApi(), endpoint: server.url });

    await expect(postgres.read([one])).rejects.toMatchObject({ name: "StoreUnavailable", store: "postgres" });
  });

  test("that nobody listens for is unavailable", async () => {
    const postgres = createPostgres({ ...theApi(), endpoint: "http://127.0.0.1:9/sql" });

    await expect(postgres.read([one])).rejects.toBeInstanceOf(StoreUnavailable);
  });

  test("that answers nothing is given up at the deadline, and not asked again", async () => {
    let asked = 0;
    await using server = await startAnswering(() => {
      asked += 1;
      return undefined;
    });
    const postgres = createPostgres({ ...theApi(), endpoint: server.url }, 200);

    await expect(postgres.read([one])).rejects.toBeInstanceOf(StoreUnavailable);
    expect(asked).toBe(1);
  });

  test("that stops in the middle of an answer is given up at the deadline", async () => {
    await using server = await startAnswering(() => ({ status: 200, body: answered.slice(0, 20), isLeftOpen: true }));
    const postgres = createPostgres({ ...theApi(), endpoint: server.url }, 200);

    await expect(postgres.read([one])).rejects.toBeInstanceOf(StoreUnavailable);
  });

  test("that fails once is asked once more, where the question only reads", async () => {
    let asked = 0;
    await using server = await startAnswering(() => {
      asked += 1;
      return asked === 1 ? { status: 500, body: "restarting" } : { status: 200, body: answered };
    });
    const postgres = createPostgres({ ...theApi(), endpoint: server.url });

    expect(await postgres.read([one])).toEqual([[{ one: 1 }]]);
    expect(asked).toBe(2);
  });

  test("that fails twice is not asked a third time", async () => {
    let asked = 0;
    await using server = await startAnswering(() => {
      asked += 1;
      return { status: 500, body: "restarting" };
    });
    const postgres = createPostgres({ ...theApi(), endpoint: server.url });

    await expect(postgres.read([one])).rejects.toBeInstanceOf(StoreUnavailable);
    expect(asked).toBe(2);
  });

  test("is never asked again to write", async () => {
    let asked = 0;
    await using server = await startAnswering(() => {
      asked += 1;
      return { status: 500, body: "restarting" };
    });
    const postgres = createPostgres({ ...theApi(), endpoint: server.url });

    await expect(postgres.write([one])).rejects.toBeInstanceOf(StoreUnavailable);
    expect(asked).toBe(1);
  });

  test("a statement that it refuses is a bug of ours, and not asked again", async () => {
    let asked = 0;
    await using server = await startAnswering(() => {
      asked += 1;
      return refusal("42P01");
    });
    const postgres = createPostgres({ ...theApi(), endpoint: server.url });

    await expect(postgres.read([one])).rejects.toBeInstanceOf(PostgresRefusal);
    expect(asked).toBe(1);
  });

  test("a save that waits too long for another one is told that it is in flight", async () => {
    await using server = await startAnswering(() => refusal("55P03"));
    const postgres = createPostgres({ ...theApi(), endpoint: server.url });

    expect(await savePayoutSettings(postgres, saveOf(newCreator(), "one"))).toEqual({ outcome: "busy" });
  });
});

test("a question is one round trip, a save too", async () => {
  const counting = await startProxy(endpoint.endpoint, {});
  try {
    const postgres = createPostgres({ connectionString: theApi().connectionString, endpoint: counting.url });
    await readPayoutSettings(postgres, newCreator());
    await savePayoutSettings(postgres, saveOf(newCreator(), "one", undefined, "key"));

    expect(counting.requests()).toBe(2);
  } finally {
    await counting.close();
  }
});

interface Listening extends AsyncDisposable {
  readonly url: string;
}

async function listen(server: Server): Promise<Listening> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A TCP server's address is an object; only a pipe's is a string.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/sql`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A server that answers everything by a rule; where the rule has no answer, never. */
function startAnswering(rule: () => { status: number; body: string; isLeftOpen?: boolean } | undefined) {
  return listen(
    createServer((request, response) => {
      request.resume();
      const answer = rule();
      if (answer) {
        response.writeHead(answer.status);
        response.write(answer.body);
      }
      if (answer && answer.isLeftOpen !== true) {
        response.end();
      }
    }),
  );
}

/** The real endpoint behind a proxy that counts, or that loses every answer once it is there. */
async function startProxy(target: string, { losesAnswers = false }: { losesAnswers?: boolean }) {
  let requests = 0;
  const server = await listen(
    createServer((request, response) => {
      requests += 1;
      const forward = async () => {
        const body = await textOf(request);
        const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
          name.startsWith("neon-") && typeof value === "string" ? [[name, value]] : [],
        );
        const answer = await fetch(target, { method: "POST", headers, body });
        const answered = await answer.text();
        if (losesAnswers) {
          response.destroy();
        } else {
          response.writeHead(answer.status).end(answered);
        }
      };
      void forward();
    }),
  );
  return { url: server.url, requests: () => requests, close: () => server[Symbol.asyncDispose]() };
}
