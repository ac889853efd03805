// Consumer groups: /consume, /commit, /committed, /consumers, /delete-consumer. Sticky: an instance lives in one process.
import { authorize, createRoutes, readJson, route } from "./http.ts";
import type { BridgeContext, RouteParts } from "./http.ts";
import { badRequest } from "./errors.ts";
import { groupDeadline } from "./group-instance.ts";
import type { InstanceId } from "./group-instance.ts";
import { instanceOptions } from "./instance-options.ts";
import type { GroupInstances } from "./group-instances.ts";
import { recordsAnswer, valueEncoding } from "./record-routes.ts";
import { asList, commitPositions, consumeRequest, parseBody, timeoutOf, topicPartitions } from "./requests.ts";

/** The contract's defaults, milliseconds. */
const CONSUME_TIMEOUT_MS = 1_000;
/** Of committed; calls without a timeout of their own use it too. */
const COMMITTED_TIMEOUT_MS = 10_000;
/** Names of groups and instances as Kafka's tools print them without trouble; the length is Kafka's own for topics. */
const groupName = /^[A-Za-z0-9._-]{1,249}$/;

/** The routes of consumer groups. */
export function groupRoutes({ log, limits, metrics }: RouteParts, instances: GroupInstances) {
  const app = createRoutes();

  const consume = async (c: BridgeContext, body: unknown) => {
    const request = parseBody(consumeRequest, body);
    if (request.topics.length === 0) {
      throw badRequest("Invalid request: name a topic, or topics");
    }
    const asked = request.timeout ?? timeoutOf(c.req.query("timeout")) ?? CONSUME_TIMEOUT_MS;
    const timeoutMs = Math.min(asked, limits.maxTimeoutMs);
    await authorize(c, log, "consume", request.topics, groupDeadline(timeoutMs));
    const options = instanceOptions((name) => c.req.header(name));
    const { maxFetchRecords: maxRecords, maxFetchBytes: maxBytes } = limits;
    const bounds = { timeoutMs, maxRecords, maxBytes, encoding: valueEncoding(c), signal: c.get("ending") };
    const fetched = await instances.consume(instanceOf(c), request.topics, options, bounds);
    metrics.fetched(fetched);
    return recordsAnswer(c, fetched);
  };

  route(app, ["GET"], "/consume/:group/:instance/:topic", (c) => consume(c, { topic: c.req.param("topic") }));

  route(app, ["GET", "POST"], "/consume/:group/:instance", async (c) => {
    return consume(c, (await readJson(c, limits.maxBodyBytes)) ?? {});
  });

  route(app, ["GET", "POST"], "/commit/:group/:instance", async (c) => {
    const offsets = parseBody(commitPositions, asList(await readJson(c, limits.maxBodyBytes)));
    const id = instanceOf(c);
    const topics = offsets.length > 0 ? offsets : instances.assignedTo(id);
    const deadline = deadlineOf(c);
    await authorize(
      c,
      log,
      "commit",
      topics.map(({ topic }) => topic),
      deadline,
    );
    await instances.commit(id, offsets, deadline);
    return c.json({ result: "Success", status: 200 });
  });

  route(app, ["GET", "POST"], "/committed/:group/:instance", async (c) => {
    const id = instanceOf(c);
    const asked = parseBody(topicPartitions, asList(await readJson(c, limits.maxBodyBytes)));
    const partitions = asked.length > 0 ? asked : instances.assignedTo(id);
    const timeoutMs = timeoutOf(c.req.query("timeout")) ?? COMMITTED_TIMEOUT_MS;
    const deadline = AbortSignal.timeout(Math.min(timeoutMs, limits.maxTimeoutMs));
    await authorize(
      c,
      log,
      "metadata",
      partitions.map(({ topic }) => topic),
      deadline,
    );
    return c.json(await log.committed(id.group, partitions, deadline));
  });

  route(app, ["GET"], "/consumers", (c) => {
    const caller = c.get("caller");
    caller.require("metadata");
    return c.json(instances.list((topic) => caller.mayUse(topic)));
  });

  route(app, ["POST", "DELETE"], "/delete-consumer/:group/:instance", async (c) => {
    c.get("caller").require("consume");
    await instances.remove(instanceOf(c), deadlineOf(c));
    return c.json({ result: "Success", status: 200 });
  });

  return app;
}

/** When Kafka counts as hung for a call that does not wait for records. */
function deadlineOf(c: BridgeContext): AbortSignal {
  return groupDeadline(timeoutOf(c.req.query("timeout")) ?? COMMITTED_TIMEOUT_MS);
}

function instanceOf(c: BridgeContext): InstanceId {
  const { group = "", instance: name = "" } = c.req.param();
  if (!groupName.test(group) || !groupName.test(name)) {
    throw badRequest(
      "Invalid request: a group and an instance have 1 to 249 letters, digits, dots, hyphens, underscores",
    );
  }
  return { group, name, owner: c.get("caller").username };
}
