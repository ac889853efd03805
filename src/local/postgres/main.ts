// The local Postgres as a process: PORT, DATA_FOLDER, and DATABASE_URL for the owner's user, password and database.
import { requiredVariable, runUntilStopped } from "../run-until-stopped.ts";
import { startPostgresEndpoint } from "./endpoint.ts";
import { parseConnectionString } from "./sql-request.ts";

await runUntilStopped("Postgres", () =>
  startPostgresEndpoint({
    ...parseConnectionString(requiredVariable("DATABASE_URL")),
    port: Number(requiredVariable("PORT")),
    dataFolder: requiredVariable("DATA_FOLDER"),
  }),
);
