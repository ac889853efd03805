// Does the database answer?
import { z } from "zod";
import type { Postgres } from "./postgres.ts";

/**
 * Asks Postgres for the number one.
 * @throws StoreUnavailable
 */
export async function pingPostgres(postgres: Postgres): Promise<void> {
  await postgres.read([
    { name: "ping", text: "SELECT 1 AS one", parameters: [], row: z.object({ one: z.literal(1) }) },
  ]);
}
