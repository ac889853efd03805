// A damaged data folder is refused: without the damaged rows every number would be wrong, and nobody would know.
import { globSync, mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@clickhouse/client-web";
import { afterAll, expect, test } from "vitest";
import { startClickHouseEndpoint } from "../../src/local/clickhouse/endpoint.ts";

const folder = mkdtempSync(join(tmpdir(), "creator-dashboard-damage-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("an endpoint does not start on data of which a part is damaged, and names the part", async () => {
  const endpoint = await startClickHouseEndpoint({ dataFolder: folder });
  const { url, username, password, database } = endpoint;
  const client = createClient({ url, username, password, database });
  await client.command({ query: "CREATE TABLE plays (at DateTime, views UInt64) ENGINE = MergeTree ORDER BY at" });
  await client.command({ query: "INSERT INTO plays SELECT now(), number FROM numbers(1000)" });
  await client.close();
  await endpoint.close();
  const [file = ""] = globSync("**/all_1_1_0/columns.txt", { cwd: folder });
  truncateSync(join(folder, file), 3);

  await expect(startClickHouseEndpoint({ dataFolder: folder })).rejects.toThrow(/damaged: plays .*all_1_1_0/);
});
