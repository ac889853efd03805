// Producing and fetching: /produce in all its forms, /webhook, /fetch.
import { authorize, createRoutes, expectedTopicId, readBody, readJson, route } from "./http.ts";
import type { BridgeContext, RouteParts } from "./http.ts";
import { badRequest, tooLarge } from "./errors.ts";
import type { FetchedPartition, NewRecord, RecordMetadata, ValueEncoding } from "./log.ts";
import { asList, fetchRequest, messages, parseBody, timeoutOf, topicMessages, topicOf } from "./requests.ts";
import type { Message } from "./requests.ts";

/** How long an append may take before the client is told that Kafka is unavailable, milliseconds. */
const PRODUCE_TIMEOUT_MS = 5_000;
/** The contract's default. */
const FETCH_TIMEOUT_MS = 1_000;
/** UTF-8 takes at most so many bytes for a UTF-16 unit (a surrogate pair takes four). */
const MOST_BYTES_PER_UNIT = 3;

/** HTTP's own header names: everything else sent to /webhook becomes a Kafka header, as the contract says. */
const standardHeaders = new Set(
  (
    "accept accept-charset accept-encoding accept-language authorization cache-control connection content-encoding " +
    "content-length content-type cookie date expect forwarded from host if-match if-modified-since if-none-match " +
    "if-unmodified-since keep-alive max-forwards origin pragma priority proxy-authorization range referer sec-fetch-dest " +
    "sec-fetch-mode sec-fetch-site te trailer transfer-encoding upgrade user-agent via x-forwarded-for x-forwarded-host " +
    "x-forwarded-proto x-real-ip"
  ).split(" "),
);

/** The routes of records. */
export function recordRoutes({ log, limits, metrics, polls }: RouteParts) {
  const app = createRoutes();

  const append = async (c: BridgeContext, records: NewRecord[]): Promise<RecordMetadata[]> => {
    const deadline = AbortSignal.timeout(PRODUCE_TIMEOUT_MS);
    for (const record of records) {
      checkSize(record, limits.maxMessageBytes);
    }
    await authorize(
      c,
      log,
      "produce",
      records.map(({ topic }) => topic),
      deadline,
    );
    const stored = await log.produce(records, deadline);
    metrics.produced(stored);
    return stored;
  };

  route(app, ["GET"], "/produce/:topic/:message", async (c) => {
    const record = newRecord(
      topicOf(c.req.param("topic")),
      { value: c.req.param("message") ?? "", key: c.req.query("key") },
      "utf8",
    );
    const [metadata] = await append(c, [record]);
    return c.json(metadata);
  });

  route(app, ["GET", "POST"], "/produce/:topic", async (c) => {
    const topic = topicOf(c.req.param("topic"));
    const body = parseBody(topicMessages, asList(await readJson(c, limits.maxBodyBytes)));
    const encoding = valueEncoding(c);
    const records = body.map((each) => newRecord(topic, each, encoding));
    return jsonBytes(c, await append(c, records));
  });

  route(app, ["GET", "POST"], "/produce", async (c) => {
    const body = parseBody(messages, asList(await readJson(c, limits.maxBodyBytes)));
    const encoding = valueEncoding(c);
    const records = body.map((each) => newRecord(each.topic, each, encoding));
    return jsonBytes(c, await append(c, records));
  });

  route(app, ["GET", "POST"], "/webhook", async (c) => {
    const topic = topicOf(c.req.query("topic"));
    const value = await readBody(c, limits.maxBodyBytes);
    const headers = Object.entries(c.req.header())
      .filter(([name]) => !standardHeaders.has(name))
      .map(([key, header]) => ({ key, value: header }));
    const record = { ...newRecord(topic, { value: "" }, "utf8"), value, headers };
    const [metadata] = await append(c, [record]);
    return c.json(metadata);
  });

  route(app, ["GET", "POST"], "/fetch", async (c) => {
    const request = parseBody(fetchRequest, (await readJson(c, limits.maxBodyBytes)) ?? {});
    const { positions } = request;
    if (positions.length === 0) {
      throw badRequest("Invalid request: name a topic, or topicPartitionOffsets");
    }
    const encoding = valueEncoding(c);
    const asked = request.timeout ?? timeoutOf(c.req.query("timeout")) ?? FETCH_TIMEOUT_MS;
    const timeoutMs = Math.min(asked, limits.maxTimeoutMs);
    c.get("caller").require(
      "fetch",
      positions.map(({ topic }) => topic),
    );
    const topicId = expectedTopicId(c);
    const wanted = positions.map((position) => ({ ...position, topicId }));
    const { maxFetchRecords: maxRecords, maxFetchBytes: maxBytes } = limits;
    const bounds = { timeoutMs, maxRecords, maxBytes, encoding, signal: c.get("ending") };
    const fetched = await polls.run(() => log.fetch(wanted, bounds));
    metrics.fetched(fetched);
    if (c.req.header("kafka-high-watermark") === "true") {
      c.header("Kafka-High-Watermark", fetched.map(({ highWatermark }) => highWatermark).join(", "));
    }
    return recordsAnswer(c, fetched);
  });

  return app;
}

/** A long answer as bytes: Node writes a long string to a socket by way of three times as much memory. */
function jsonBytes(c: BridgeContext, answer: unknown): Response {
  return c.body(Buffer.from(JSON.stringify(answer)), 200, { "Content-Type": "application/json" });
}

/** The fetched records as one JSON array; they are encoded already. */
export function recordsAnswer(c: BridgeContext, fetched: readonly FetchedPartition[]): Response {
  const chunks: Uint8Array[] = [Buffer.from("[")];
  for (const { count, records } of fetched) {
    if (count > 0) {
      chunks.push(...(chunks.length > 1 ? [Buffer.from(",")] : []), ...records);
    }
  }
  chunks.push(Buffer.from("]"));
  return c.body(Buffer.concat(chunks), 200, { "Content-Type": "application/json" });
}

/** The `Kafka-Value-Encoding` asked for. Throws a 400 for an unknown one. */
export function valueEncoding(c: BridgeContext): ValueEncoding {
  const asked = c.req.header("kafka-value-encoding") ?? "utf8";
  if (asked !== "utf8" && asked !== "base64") {
    throw badRequest("Invalid request: Kafka-Value-Encoding: utf8 or base64");
  }
  return asked;
}

function newRecord(topic: string, message: Message, encoding: ValueEncoding): NewRecord {
  const { value } = message;
  return {
    topic,
    partition: message.partition ?? undefined,
    timestamp: message.timestamp ?? undefined,
    key: message.key ?? undefined,
    value: encoding === "base64" && value !== null ? fromBase64(value) : value,
    headers: message.headers ?? [],
  };
}

function fromBase64(value: string): Buffer {
  const bytes = Buffer.from(value, "base64");
  if (bytes.toString("base64").replace(/=+$/, "") !== value.replace(/=+$/, "")) {
    throw badRequest("Invalid request: value: not base64");
  }
  return bytes;
}

function checkSize({ key = "", value, headers }: NewRecord, maxBytes: number): void {
  let units = key.length + (value?.length ?? 0);
  for (const header of headers) {
    units += header.key.length + header.value.length;
  }
  if (units * MOST_BYTES_PER_UNIT <= maxBytes) {
    return;
  }
  let bytes = Buffer.byteLength(key) + Buffer.byteLength(value ?? "");
  for (const header of headers) {
    bytes += Buffer.byteLength(header.key) + Buffer.byteLength(header.value);
  }
  if (bytes > maxBytes) {
    throw tooLarge(`Message too large: ${bytes} bytes, at most ${maxBytes} are accepted`);
  }
}
