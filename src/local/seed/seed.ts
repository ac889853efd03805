// The whole seed: the same world for the same instant, in both databases, after their migrations.
import type { ClickHouseConnection } from "../../store/clickhouse/analytics.ts";
import type { PostgresConnection } from "../../store/postgres/postgres.ts";
import { createCatalogue, type SeedScale } from "./catalogue.ts";
import { loadClickHouse } from "./load-clickhouse.ts";
import { loadPostgres } from "./load-postgres.ts";

/**
 * Loads the seed into empty, migrated databases. Metrics end with the last full hour before `now` (ms since the Unix
 * epoch). `full` takes under a minute on two cores, `small` a few seconds.
 * @throws Error when ClickHouse holds metrics already
 */
export async function seed(options: {
  /** A user that may create tables and write. */
  clickhouse: ClickHouseConnection;
  /** The database's owner. */
  postgres: PostgresConnection;
  now: number;
  scale: SeedScale;
}): Promise<void> {
  const creators = createCatalogue(options.scale, options.now);
  const itemViews = await loadClickHouse(options.clickhouse, creators, options.now);
  await loadPostgres(options.postgres, creators, itemViews, options.now);
}
