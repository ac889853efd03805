// When brokers stored records of topics whose timestamps are theirs to set (`message.timestamp.type=LogAppendTime`).
// The library's producer answers with offsets alone.
import type { produceV11 } from "@platformatic/kafka";

/** Times that nobody asked for, of requests that failed in part, are kept only so many. */
const MAX_KEPT = 1_000;

/** The brokers' times, by the first offset of what they stored, until asked for. */
export class AppendTimes {
  readonly #times = new Map<string, number>();

  /** Notes what a broker answered. */
  answered({ responses }: produceV11.ProduceResponse): void {
    for (const { name, partitionResponses } of responses) {
      for (const { index, baseOffset, logAppendTimeMs } of partitionResponses) {
        // -1 where timestamps are the producer's.
        if (logAppendTimeMs >= 0n) {
          this.#times.set(`${name}:${index}:${baseOffset}`, Number(logAppendTimeMs));
        }
      }
    }
    for (const key of this.#times.keys()) {
      if (this.#times.size <= MAX_KEPT) {
        break;
      }
      this.#times.delete(key);
    }
  }

  /** When the records from an offset were stored, ms since the Unix epoch; undefined where that was not the broker's say. */
  take(topic: string, partition: number, baseOffset: bigint): number | undefined {
    const key = `${topic}:${partition}:${baseOffset}`;
    const time = this.#times.get(key);
    this.#times.delete(key);
    return time;
  }
}
