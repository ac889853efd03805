// One topic-partition behind the bridge. Records come through the stock Upstash client; everything that must be
// abortable, or needs more than the client knows, is one plain request.
import { Kafka } from "@upstash/kafka";
import { z } from "zod";
import { type Source, splitSource } from "../../contract/ids.ts";
import type { LogRecord, PartitionBounds, RecordSource } from "../ports.ts";

/** Where the bridge is, and as whom to ask. */
export interface BridgeAccess {
  /** Address without a path behind it, such as `https://kafka.example.org`. */
  readonly url: string;
  /** ASCII, as the stock client's encoder wants it. */
  readonly username: string;
  readonly password: string;
}

/** The consumer group whose offsets lag dashboards show. */
const GROUP = "creator-dashboard";

const offsetSchema = z.number().int().min(0);

/** `GET /topics?detail=true`. */
export const topicsDetailSchema = z.record(
  z.string(),
  z.object({
    topicId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    partitions: z.array(z.object({ partition: z.number().int().min(0), earliest: offsetSchema, latest: offsetSchema })),
  }),
);
export type TopicsDetail = z.infer<typeof topicsDetailSchema>;

const offsetsSchema = z.array(z.object({ offset: z.number().int() }));

/** Plain requests to the bridge. */
export class Bridge {
  readonly #access: BridgeAccess;

  constructor(access: BridgeAccess) {
    this.#access = access;
  }

  /** All topics that the credentials may see. Throws when the bridge does not answer well. */
  async topics(signal: AbortSignal): Promise<TopicsDetail> {
    return topicsDetailSchema.parse(await this.request("/topics?detail=true", undefined, signal));
  }

  /** Sends a body, or asks without one. Throws on anything but success. */
  async request(path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    const { url, username, password } = this.#access;
    const response = await fetch(url.replace(/\/$/, "") + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Basic ${btoa(`${username}:${password}`)}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
    });
    const answer: unknown = await response.json();
    if (!response.ok) {
      throw new Error(`the bridge answered ${response.status}`);
    }
    return answer;
  }

  /** The stock client, bound to one topic by its id: the bridge answers 409 when the topic is another one. */
  client(topicId: string): Kafka {
    const { url, username, password } = this.#access;
    return new Kafka({ url: url.replace(/\/$/, "") + expecting(topicId), username, password });
  }
}

function expecting(topicId: string): string {
  return `/expect/${topicId}`;
}

/** A topic-partition behind the bridge. */
export function bridgeSource(bridge: Bridge, source: Source): RecordSource {
  const { topic, partition } = splitSource(source);
  return {
    async fetch(topicId, offset, waitMs) {
      const consumer = bridge.client(topicId).consumer();
      const records: unknown = await consumer.fetch({ topic, partition, offset, timeout: waitMs });
      // The cursor checks every record: here it is only passed on.
      return records as readonly LogRecord[];
    },
    async fetchOnce(topicId, offset, waitMs, signal) {
      const body = { topic, partition, offset, timeout: waitMs };
      // As above.
      return (await bridge.request(`${expecting(topicId)}/fetch`, body, signal)) as readonly LogRecord[];
    },
    async bounds(signal) {
      const detail = (await bridge.topics(signal))[topic];
      const found = detail?.partitions.find((each) => each.partition === partition);
      return detail === undefined || found === undefined ? null : boundsOf(detail, found);
    },
    async offsetAt(topicId, timestampMs, signal) {
      const path = `${expecting(topicId)}/offsets/${Math.max(0, Math.floor(timestampMs))}`;
      const [answer] = offsetsSchema.parse(await bridge.request(path, [{ topic, partition }], signal));
      if (answer === undefined) {
        throw new Error("the bridge answered no offset");
      }
      // Kafka says -1 where no record is so young: then the reader begins at the end.
      return answer.offset < 0 ? Number.MAX_SAFE_INTEGER : answer.offset;
    },
    async commit(offset, signal) {
      await bridge.request(`/commit/${GROUP}/${GROUP}-${partition}`, [{ topic, partition, offset }], signal);
    },
  };
}

function boundsOf(
  { topicId, partitions }: TopicsDetail[string],
  { earliest, latest }: TopicsDetail[string]["partitions"][number],
): PartitionBounds {
  return { topicId, partitions: Math.max(1, partitions.length), earliest, latest };
}
