// What the consumer's tests do from outside: produce, look at what the stub hubs were told, and wait for it.
import { env, exports } from "cloudflare:workers";
import { Kafka } from "@upstash/kafka";
import type { Publish, RareBatch, ReaderReport } from "../../../src/contract/live-rpc.ts";

/** The secret of the admin routes in these tests. */
export const ADMIN_TOKEN = "the admin token of the consumer's tests";
export const ENGAGEMENT = "user.engagement.events";

interface StubHub {
  seen(): Promise<{ published: Publish[]; rare: RareBatch[] }>;
  setFailing(fails: boolean): Promise<void>;
}
interface StubWatchList {
  watch(creatorIds: string[]): Promise<void>;
  seen(): Promise<{ expected: string[]; reports: Record<string, ReaderReport> }>;
}

/** The stub of a creator's hub: its class is that of `stub-hubs.mjs`, not the one whose type the binding has. */
export const hub = (creatorId: string) => env.CREATOR_HUB.getByName(`creator:${creatorId}:0`) as unknown as StubHub;
/** The stub of the watch list, likewise. */
export const watchList = () => env.WATCH_LIST.getByName("watch-list:0") as unknown as StubWatchList;

export const reader = (partition: number, topic = ENGAGEMENT) =>
  env.PARTITION_READER.getByName(`${topic}:${partition}`);

/** Produces values to one partition, strings as they are. */
export async function produce(topic: string, partition: number, ...values: unknown[]): Promise<void> {
  const { KAFKA_REST_URL: url, KAFKA_REST_USERNAME: username, KAFKA_REST_PASSWORD: password } = env;
  const messages = values.map((value) => ({ topic, partition, key: "key", value }));
  await new Kafka({ url, username, password }).producer().produceMany(messages);
}

let number = 0;

/** One viewing's first event. */
export function started(creatorId: string, change: object = {}) {
  number++;
  return {
    eventId: `e-${creatorId}-${number}`,
    type: "view.started",
    creatorId,
    contentId: "cnt_1",
    sessionId: `s-${number}`,
    occurredAt: new Date().toISOString(),
    ...change,
  };
}

/** Waits until `look` answers something, and gives it back. */
export async function until<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what} did not happen`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits for a publication of a creator that satisfies. */
export const published = (creatorId: string, what: string, isIt: (publish: Publish) => boolean): Promise<Publish> =>
  until(what, async () => (await hub(creatorId).seen()).published.findLast(isIt));

/** Calls the consumer's HTTP routes with the admin token, or another. */
export function ask(path: string, options: { body?: object; token?: string } = {}): Promise<Response> {
  const { body, token = ADMIN_TOKEN } = options;
  return exports.default.fetch(`http://consumer.test${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}` },
    body: body === undefined ? null : JSON.stringify(body),
  });
}
