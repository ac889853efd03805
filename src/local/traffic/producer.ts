// Produces events through the bridge's REST endpoint: a batch is sent again, unchanged, until the bridge has taken it,
// so that a bridge that restarts loses nothing and repeats only what its readers know by event id.
import { z } from "zod";
import { describeError, type Log } from "../../runtime/log.ts";
import type { TopicKind } from "../../contract/events.ts";
import type { TrafficEvent } from "./playback.ts";

/** Records of one request: a few hundred bytes each, far below the bridge's body limit. */
const BATCH_RECORDS = 1000;
const REQUEST_TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2000;

/** The Kafka REST endpoint and the names of the topics. */
export interface ProducerOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly topics: Readonly<Record<TopicKind, string>>;
  readonly log: Log;
  /** Waits; injected so that tests need not. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

const answerSchema = z.array(z.object({ topic: z.string(), partition: z.number(), offset: z.number() }));

/** The bridge refuses these records and would refuse them again. */
export class ProduceRefused extends Error {
  override readonly name = "ProduceRefused";
}

/**
 * Produces `events` in order.
 * @param signal gives up between two tries and during one
 * @returns how many records the bridge has acknowledged: all of them unless `signal` fired
 * @throws {ProduceRefused} when the bridge answers that they can never be produced (credentials, topic, shape)
 */
export async function produce(
  options: ProducerOptions,
  events: readonly TrafficEvent[],
  signal: AbortSignal,
): Promise<number> {
  let acknowledged = 0;
  for (let from = 0; from < events.length && !signal.aborted; from += BATCH_RECORDS) {
    const batch = events.slice(from, from + BATCH_RECORDS);
    const body = JSON.stringify(
      batch.map(({ kind, key, value }) => ({ topic: options.topics[kind], key, value: JSON.stringify(value) })),
    );
    for (let retryMs = FIRST_RETRY_MS; !signal.aborted; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
      if (await tryOnce(options, body, batch.length, signal)) {
        acknowledged += batch.length;
        break;
      }
      await options.pause(retryMs, signal);
    }
  }
  return acknowledged;
}

/** True when acknowledged, false when it may be tried again. */
async function tryOnce(options: ProducerOptions, body: string, records: number, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${options.url}/produce`, {
      method: "POST",
      headers: {
        authorization: `Basic ${Buffer.from(`${options.username}:${options.password}`).toString("base64")}`,
        "content-type": "application/json",
      },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    const text = await response.text();
    if (response.ok) {
      return answerSchema.parse(JSON.parse(text)).length === records;
    }
    if (response.status >= 400 && response.status < 500 && response.status !== 408 && response.status !== 429) {
      throw new ProduceRefused(`the bridge at ${options.url} answered ${response.status}: ${text.slice(0, 300)}`);
    }
    options.log.warn("traffic.produce.retry", { status: response.status });
  } catch (error) {
    if (error instanceof ProduceRefused) {
      throw error;
    }
    if (!signal.aborted) {
      options.log.warn("traffic.produce.retry", { reason: describeError(error) });
    }
  }
  return false;
}
