// What there is: /topics, with ids and ends on request, and /offsets by place or time.
import { authorize, createRoutes, readJson, route } from "./http.ts";
import type { RouteParts } from "./http.ts";
import { badRequest } from "./errors.ts";
import type { OffsetQuery } from "./log.ts";
import { asList, parseBody, timeoutOf, topicPartitions } from "./requests.ts";

/** The contract's default for offsets, milliseconds; topics have no timeout of their own and use it too. */
const METADATA_TIMEOUT_MS = 10_000;

/** The routes of metadata. */
export function metadataRoutes({ log, limits }: RouteParts) {
  const app = createRoutes();

  route(app, ["GET"], "/topics", async (c) => {
    const caller = c.get("caller");
    caller.require("metadata");
    const deadline = AbortSignal.timeout(METADATA_TIMEOUT_MS);
    const topics = [...(await log.topics(deadline))].filter(([name]) => caller.mayUse(name));
    if (c.req.query("detail") !== "true") {
      return c.json(Object.fromEntries(topics.map(([name, { partitions }]) => [name, partitions])));
    }
    const all = topics.flatMap(([topic, { partitions }]) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    );
    const earliest = await log.offsets(all, "earliest", deadline);
    const latest = await log.offsets(all, "latest", deadline);
    const ends = all.map(({ topic, partition }, i) => ({
      topic,
      end: { partition, earliest: earliest[i]?.offset ?? 0, latest: latest[i]?.offset ?? 0 },
    }));
    return c.json(
      Object.fromEntries(
        topics.map(([name, { topicId }]) => [
          name,
          { topicId, partitions: ends.filter(({ topic }) => topic === name).map(({ end }) => end) },
        ]),
      ),
    );
  });

  route(app, ["GET", "POST"], "/offsets/:at", async (c) => {
    const at = offsetQuery(c.req.param("at") ?? "");
    const partitions = parseBody(topicPartitions, asList(await readJson(c, limits.maxBodyBytes)));
    const timeoutMs = timeoutOf(c.req.query("timeout")) ?? METADATA_TIMEOUT_MS;
    const deadline = AbortSignal.timeout(Math.min(timeoutMs, limits.maxTimeoutMs));
    await authorize(
      c,
      log,
      "metadata",
      partitions.map(({ topic }) => topic),
      deadline,
    );
    return c.json(await log.offsets(partitions, at, deadline));
  });

  return app;
}

function offsetQuery(at: string): OffsetQuery {
  if (at === "earliest" || at === "latest") {
    return at;
  }
  if (!/^\d{1,16}$/.test(at)) {
    throw badRequest("Invalid request: offsets: earliest, latest or a timestamp in milliseconds");
  }
  return Number(at);
}
