// Does ClickHouse answer?
import { z } from "zod";
import type { Analytics } from "./analytics.ts";

/**
 * Asks ClickHouse for the number one.
 * @throws StoreUnavailable
 */
export async function pingClickHouse(analytics: Analytics): Promise<void> {
  await analytics.ask({
    operation: "ping",
    creatorId: null,
    sql: "SELECT 1 AS one",
    parameters: {},
    row: z.object({ one: z.literal(1) }),
  });
}
