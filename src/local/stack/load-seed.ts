// Fills the embedded databases once: migrations, then the seed, through the same HTTP drivers as everywhere.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { systemClock } from "../../runtime/clock.ts";
import { migrateClickHouse } from "../../store/clickhouse/migrate.ts";
import { migratePostgres } from "../../store/postgres/migrate.ts";
import type { SeedScale } from "../seed/catalogue.ts";
import { seed } from "../seed/seed.ts";
import { CannotStart } from "./data-folder.ts";
import type { Databases } from "./workers.ts";

/** Rises when the seed changes what a data folder holds in a way that migrations do not carry over. */
const SEED_VERSION = 1;

const markerSchema = z.object({ version: z.number(), scale: z.string(), complete: z.boolean() });
type Marker = z.infer<typeof markerSchema>;

/**
 * Applies new migrations, and loads the seed unless the folder holds it.
 * @throws {CannotStart} when the folder's data was cut off while loading, is another version's, or its note is damaged
 */
export async function loadSeed(options: {
  databases: Databases;
  scale: SeedScale;
  dataFolder: string;
  progress: (line: string) => void;
}): Promise<void> {
  const { databases, scale, dataFolder, progress } = options;
  const file = join(dataFolder, "seed.json");
  const wanted: Marker = { version: SEED_VERSION, scale, complete: true };
  const held = readMarker(file);
  if (held && JSON.stringify(held) !== JSON.stringify(wanted)) {
    const why = held.complete ? "another version's data" : "data that was cut off while loading";
    throw new CannotStart(`The data folder ${dataFolder} holds ${why}: start fresh by npm run dev -- --reset.`);
  }
  const { url, database, writer } = databases.clickhouse;
  const clickhouse = { url, database, ...writer };
  const postgres = { connectionString: databases.databaseUrl, endpoint: databases.neonEndpoint };
  await Promise.all([migrateClickHouse(clickhouse), migratePostgres(postgres, { readContract: true })]);
  if (held) {
    return;
  }
  progress("Loading the seed, once: two years of history …");
  writeFileSync(file, JSON.stringify({ ...wanted, complete: false }));
  const started = performance.now();
  await seed({ clickhouse, postgres, now: systemClock.now(), scale });
  writeFileSync(file, JSON.stringify(wanted));
  progress(`Seed loaded in ${((performance.now() - started) / 1_000).toFixed(0)} s.`);
}

function readMarker(file: string): Marker | undefined {
  if (!existsSync(file)) {
    return undefined;
  }
  try {
    return markerSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new CannotStart(`${file} cannot be read: start with fresh data by npm run dev -- --reset.`);
  }
}
