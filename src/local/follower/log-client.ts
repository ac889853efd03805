// The log as the follower reads it: through the bridge's REST endpoint, each fetch bound to the topic it began with.
import { z } from "zod";
import type { FollowedRecord } from "./tally.ts";

const REQUEST_TIMEOUT_MS = 30_000;
/** The bridge answers at once when there is a record; without one it need not keep us. */
const POLL_MS = 100;

const topicsSchema = z.record(
  z.string(),
  z.object({
    topicId: z.string(),
    partitions: z.array(z.object({ partition: z.number(), earliest: z.number(), latest: z.number() })),
  }),
);
const recordsSchema = z.array(z.object({ offset: z.number(), timestamp: z.number(), value: z.string() }));

/** What a log has, by topic. */
export type LogTopics = z.infer<typeof topicsSchema>;

/** The log as far as the follower needs it. */
export interface FollowedLog {
  topics(): Promise<LogTopics>;
  /** Records from `offset` on, at least one where there is one; throws when the topic is not `topicId` any more. */
  fetch(at: { topic: string; topicId: string; partition: number; offset: number }): Promise<readonly FollowedRecord[]>;
}

/** Reads through the bridge at `url`. Every method throws when the bridge does not answer as its contract says. */
export class LogClient implements FollowedLog {
  readonly #url: string;
  readonly #authorization: string;

  constructor(options: { url: string; username: string; password: string }) {
    this.#url = options.url;
    this.#authorization = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString("base64")}`;
  }

  async topics(): Promise<LogTopics> {
    return topicsSchema.parse(await this.#call("/topics?detail=true"));
  }

  async fetch(at: { topic: string; topicId: string; partition: number; offset: number }): Promise<FollowedRecord[]> {
    const { topicId, ...position } = at;
    const answer = await this.#call(`/expect/${topicId}/fetch`, { ...position, timeout: POLL_MS });
    return recordsSchema.parse(answer);
  }

  async #call(path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: this.#authorization, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`the bridge answered ${path} with ${response.status}: ${text.slice(0, 300)}`);
    }
    return JSON.parse(text);
  }
}
