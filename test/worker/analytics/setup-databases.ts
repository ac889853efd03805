// What the analytics routes' tests need besides the API's: the seed in both databases, and a server that answers
// everything that ClickHouse must not.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { startClickHouseEndpoint } from "../../../src/local/clickhouse/endpoint.ts";
import { seed } from "../../../src/local/seed/seed.ts";
import { migrateClickHouse } from "../../../src/store/clickhouse/migrate.ts";
import setupApi from "../api/setup-services.ts";
import type { AnalyticsTestServices } from "./provided-context.ts";
import { SEEDED_AT } from "./seeded-at.ts";

const progressColumns = `"meta": [], "rows": 1`;

/** Ways in which a server is no ClickHouse of ours. */
const misbehaviours: Record<string, (response: ServerResponse) => void> = {
  html: (response) => response.end("<html>It works!</html>"),
  html_502: (response) => response.writeHead(502).end("<html>Bad gateway</html>"),
  nothing: (response) => response.end(),
  truncated: (response) => response.end(`{${progressColumns}, "data": [{"source": "content_me`),
  wrong_types: (response) =>
    response.end(`{${progressColumns}, "data": [{"source": 1, "complete_through": "soon", "updated_at_ms": null}]}`),
  no_data: (response) => response.end(`{"data": {}}`),
  exception_after_200: (response) =>
    response.end(`{${progressColumns}, "data": [\nCode: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT)\n`),
  exception: (response) =>
    response
      .writeHead(404, { "X-ClickHouse-Exception-Code": "60" })
      .end("Code: 60. DB::Exception: Table default.ingest_progress does not exist. (UNKNOWN_TABLE)"),
  endless: (response) => {
    const chunk = `"${"x".repeat(65_536)}",`;
    response.write(`{"data": [`);
    const more = () => {
      while (response.write(chunk)) {
        // Until the socket is full.
      }
      response.once("drain", more);
    };
    more();
  },
  silent: () => undefined,
  silent_body: (response) => response.write(`{"data": [`),
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stopApi = await setupApi(project);
  const { databaseUrl, neonEndpoint } = project.getProvidedContext().apiServices;
  const clickhouse = await startClickHouseEndpoint();
  await migrateClickHouse(clickhouse);
  await seed({
    clickhouse,
    postgres: { connectionString: databaseUrl, endpoint: neonEndpoint },
    now: SEEDED_AT,
    scale: "small",
  });

  const hostile = createServer((request, response) => {
    const database = new URL(request.url ?? "/", "http://hostile.test").searchParams.get("database") ?? "";
    misbehaviours[database]?.(response);
  });
  await new Promise<void>((resolve) => hostile.listen(0, "127.0.0.1", resolve));
  // A TCP server's address is an object; only a pipe's is a string.
  const { port } = hostile.address() as AddressInfo;

  project.provide("analyticsServices", {
    clickhouse: { url: clickhouse.url, ...clickhouse.reader },
    hostileUrl: `http://127.0.0.1:${port}`,
  } satisfies AnalyticsTestServices);
  return async () => {
    hostile.closeAllConnections();
    await new Promise((resolve) => hostile.close(resolve));
    await clickhouse.close();
    await stopApi();
  };
}
