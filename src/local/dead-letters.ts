// `npm run --silent dead-letters -- list|replay [--source topic:partition] [--reason REASON] [--id N …] [--limit N]`
// lists what the readers set aside, one JSON object a line, or produces it to its topic again. It asks the consumer's
// admin route of the running local stack (DEV_DATA names its folder), or of CONSUMER_URL with ADMIN_TOKEN.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { sourceSchema } from "../contract/ids.ts";

const USAGE =
  "Usage: npm run --silent dead-letters -- list|replay [--source TOPIC:PARTITION] [--reason REASON] [--id N] [--limit N]";
const DEADLINE_MS = 60_000;
const PAGE = 500;

/** A wrong option, or a consumer that is not there, as a sentence. */
class CannotDo extends Error {
  override readonly name = "CannotDo";
}

interface Options {
  readonly action: "list" | "replay";
  readonly source: string | undefined;
  readonly reason: string | undefined;
  readonly ids: readonly number[];
  readonly limit: number;
}

interface Consumer {
  readonly consumerUrl: string;
  readonly adminToken: string;
}

const noteSchema = z.object({ consumerUrl: z.url(), adminToken: z.string() });
const statusSchema = z.object({ readers: z.array(z.object({ source: sourceSchema })) });
const listSchema = z.object({ items: z.array(z.looseObject({ id: z.number().int() })) });
const replaySchema = z.object({ replayed: z.number().int(), cut: z.array(z.number().int()) });

function readOptions(): Options {
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        source: { type: "string" },
        reason: { type: "string" },
        id: { type: "string", multiple: true, default: [] },
        limit: { type: "string", default: "1000" },
      },
    });
  } catch (error) {
    throw new CannotDo(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
  const [action] = parsed.positionals;
  if ((action !== "list" && action !== "replay") || parsed.positionals.length > 1) {
    throw new CannotDo(USAGE);
  }
  const { source, reason, id, limit } = parsed.values;
  if (source !== undefined && !sourceSchema.safeParse(source).success) {
    throw new CannotDo(`--source takes a topic and a partition, such as user.engagement.events:0.\n${USAGE}`);
  }
  const ids = id.map((text) => wholeNumber("id", text));
  if (ids.length > 0 && source === undefined) {
    throw new CannotDo(`--id needs --source: each reader numbers its own dead letters.\n${USAGE}`);
  }
  return { action, source, reason, ids, limit: wholeNumber("limit", limit) };
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) {
    throw new CannotDo(`--${option} takes a whole number from 1, not "${text}".\n${USAGE}`);
  }
  return Number(text);
}

function findConsumer(): Consumer {
  const { CONSUMER_URL: consumerUrl, ADMIN_TOKEN: adminToken } = process.env;
  if (consumerUrl !== undefined && adminToken !== undefined) {
    return { consumerUrl, adminToken };
  }
  const file = join(process.env["DEV_DATA"] ?? join(".data", "dev"), "stack.json");
  if (!existsSync(file)) {
    throw new CannotDo("No local stack is running: start one with `npm run dev`, or set CONSUMER_URL and ADMIN_TOKEN.");
  }
  return noteSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

async function ask<Answer>(
  { consumerUrl, adminToken }: Consumer,
  path: string,
  schema: z.ZodType<Answer>,
  body?: object,
): Promise<Answer> {
  const response = await fetch(new URL(path, consumerUrl), {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (!response.ok) {
    throw new CannotDo(`The consumer answered ${response.status}: ${await response.text()}`);
  }
  return schema.parse(await response.json());
}

async function list(consumer: Consumer, source: string, { reason, ids, limit }: Options): Promise<void> {
  let after = 0;
  for (let left = limit; left > 0;) {
    const query = new URLSearchParams({ source, after: String(after), limit: String(Math.min(left, PAGE)) });
    if (reason !== undefined) {
      query.set("reason", reason);
    }
    const { items } = await ask(consumer, `/admin/dead-letters?${query}`, listSchema);
    const wanted = items.filter(({ id }) => ids.length === 0 || ids.includes(id));
    for (const item of wanted) {
      console.log(JSON.stringify({ source, ...item }));
    }
    after = items.at(-1)?.id ?? after;
    left = items.length === 0 ? 0 : left - items.length;
  }
}

async function replay(consumer: Consumer, source: string, { reason, ids }: Options): Promise<void> {
  const body = { source, reason, ...(ids.length > 0 ? { ids } : {}) };
  const result = await ask(consumer, "/admin/dead-letters/replay", replaySchema, body);
  console.log(JSON.stringify({ source, ...result }));
}

async function main(): Promise<void> {
  const options = readOptions();
  const consumer = findConsumer();
  const sources =
    options.source === undefined
      ? (await ask(consumer, "/admin/status", statusSchema)).readers.map(({ source }) => source)
      : [options.source];
  for (const source of sources) {
    await (options.action === "list" ? list : replay)(consumer, source, options);
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
