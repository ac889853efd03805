// The local ClickHouse as a process: PORT, DATA_FOLDER, and the two users as `name:password` in CLICKHOUSE_WRITER and
// CLICKHOUSE_READER.
import { requiredVariable, runUntilStopped } from "../run-until-stopped.ts";

// One thread per query that computes; Node's four would make a fifth wait. Read before the pool's first use, hence here.
process.env["UV_THREADPOOL_SIZE"] ??= "16";
const { startClickHouseEndpoint } = await import("./endpoint.ts");

function user(variable: string): { username: string; password: string } {
  const [, username, password] = /^([^:]+):(.*)$/s.exec(requiredVariable(variable)) ?? [];
  if (username === undefined || password === undefined) {
    throw new Error(`${variable} is not of the form name:password.`);
  }
  return { username, password };
}

await runUntilStopped("ClickHouse", () =>
  startClickHouseEndpoint({
    port: Number(requiredVariable("PORT")),
    dataFolder: requiredVariable("DATA_FOLDER"),
    ...user("CLICKHOUSE_WRITER"),
    reader: user("CLICKHOUSE_READER"),
  }),
);
