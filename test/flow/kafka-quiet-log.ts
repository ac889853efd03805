// A log between two polls: while it is quiet, reads come back empty and the topics are those of before. What becomes of a
// topic meanwhile is met by the next poll, with no failure and no look around before it that could have told a reader.
import { type Source, sourceOf } from "../../src/contract/ids.ts";
import type { FetchOptions, FetchPosition, Log, TopicInfo } from "../../src/bridge/log.ts";

/** How long an empty answer takes: shorter than any poll, so that none is late. */
const ANSWER_MS = 100;

/** A log, and whether its readers hear of anything. */
export class QuietLog {
  readonly log: Log;
  /** By source, since it was last quiet: the offset asked for by the first read that found records. */
  readonly firstOffsets = new Map<Source, number>();
  #quiet = new AbortController();
  #topicsBefore: Map<string, TopicInfo> | undefined;

  constructor(log: Log) {
    const fetch = log.fetch.bind(log);
    log.fetch = async (positions, options) => {
      if (this.#quiet.signal.aborted) {
        return emptyAnswer(positions, options);
      }
      const signal = AbortSignal.any([options.signal, this.#quiet.signal]);
      const fetched = await fetch(positions, { ...options, signal });
      fetched.forEach(({ topic, partition, count }, i) => {
        const source = sourceOf(topic, partition);
        if (count > 0 && !this.firstOffsets.has(source)) {
          this.firstOffsets.set(source, positions[i]?.offset ?? -1);
        }
      });
      return fetched;
    };
    const topics = log.topics.bind(log);
    log.topics = async (deadline) => {
      const answer = (this.#quiet.signal.aborted ? this.#topicsBefore : undefined) ?? (await topics(deadline));
      this.#topicsBefore = answer;
      return answer;
    };
    this.log = log;
  }

  /** From now on readers hear nothing; polls under way end. */
  begin(): void {
    this.#quiet.abort();
    this.firstOffsets.clear();
  }

  end(): void {
    this.#quiet = new AbortController();
  }
}

async function emptyAnswer(positions: readonly FetchPosition[], { timeoutMs }: FetchOptions) {
  await new Promise((resolve) => setTimeout(resolve, Math.min(timeoutMs, ANSWER_MS)));
  return positions.map(({ topic, partition, offset }) => ({
    topic,
    partition,
    count: 0,
    records: [],
    nextOffset: offset,
    highWatermark: offset,
  }));
}
