// Records on their way to Kafka: which partitions have theirs, and the sequences that the others go by. The library
// counts on for the producer it is now, also when a request began as an earlier one: its records would pass for those
// that were stored first, and Kafka would answer with their offsets and store nothing. And where one partition refuses,
// it sends all of them again: as a new producer, also those that are stored.
import type { produceV11 } from "@platformatic/kafka";
import type { ProduceOptions, ProducedRecord } from "./kafka-produce-request.ts";

type ProduceResponse = produceV11.ProduceResponse;
type Producer = Pick<ProduceOptions, "producerId" | "producerEpoch">;

/** Sequences are 31 bits, and begin again at 0 (https://kafka.apache.org/documentation/#recordbatch). */
const SEQUENCES = 2 ** 31;
/**
 * How long a producer that sends nothing new is remembered, milliseconds: a request that began as this one may wait for
 * metadata and a connection, for some four minutes with the library's tries and timeouts.
 */
const MEMORY_MS = 600_000;

/** What a request has still to bring to a broker. */
interface Remainder {
  records: readonly ProducedRecord[];
  /** The first sequence of each `topic:partition`. */
  sequences: ReadonlyMap<string, number>;
}

/** One broker's part of what was sent. */
interface Delivery {
  /** Answers of the partitions that have their records. */
  stored: ProduceResponse["responses"];
  remaining: readonly ProducedRecord[];
  /** By producer: the same records go by the same sequences at every try. */
  sequences: Map<string, Map<string, number>>;
}

/** The sequence of the record that comes so many records later. */
export function sequenceAfter(sequence: number, records: number): number {
  return (sequence + records) % SEQUENCES;
}

const partitionKey = ({ topic, partition }: Pick<ProducedRecord, "topic" | "partition">) => `${topic}:${partition}`;

/** The deliveries of one client. */
export class Deliveries {
  /** The library hands on the same list at every try. */
  readonly #deliveries = new WeakMap<readonly ProducedRecord[], Delivery>();
  /** Next sequences by producer, the one longest unused first. */
  readonly #producers = new Map<string, { next: Map<string, number>; usedAt: number }>();

  /** What to send, at the first try or a further one. */
  remainder(records: readonly ProducedRecord[], { producerId, producerEpoch }: Producer): Remainder {
    const { remaining, sequences: ofProducers } = this.#delivery(records);
    const producer = `${producerId}/${producerEpoch}`;
    let sequences = ofProducers.get(producer);
    if (sequences === undefined) {
      sequences = this.#count(producer, remaining);
      ofProducers.set(producer, sequences);
    }
    return { records: remaining, sequences };
  }

  /** What a broker answers, with what it answered for partitions that had their records at earlier tries. */
  answered(records: readonly ProducedRecord[], response: ProduceResponse): ProduceResponse {
    const { stored } = this.#delivery(records);
    return stored.length === 0 ? response : { ...response, responses: [...stored, ...response.responses] };
  }

  /** Takes in an answer that refuses some partitions: what the others stored is not sent again. */
  refused(records: readonly ProducedRecord[], { responses }: ProduceResponse): void {
    const delivery = this.#delivery(records);
    const stored = responses.map(({ name, partitionResponses }) => {
      return { name, partitionResponses: partitionResponses.filter(({ errorCode }) => errorCode === 0) };
    });
    const keys = new Set(
      stored.flatMap(({ name, partitionResponses }) => partitionResponses.map(({ index }) => `${name}:${index}`)),
    );
    delivery.stored.push(...stored);
    delivery.remaining = delivery.remaining.filter((record) => !keys.has(partitionKey(record)));
  }

  #delivery(records: readonly ProducedRecord[]): Delivery {
    let delivery = this.#deliveries.get(records);
    if (delivery === undefined) {
      delivery = { stored: [], remaining: records, sequences: new Map() };
      this.#deliveries.set(records, delivery);
    }
    return delivery;
  }

  /** Gives records their sequences. */
  #count(producer: string, records: readonly ProducedRecord[]): Map<string, number> {
    const now = performance.now();
    const { next } = this.#producers.get(producer) ?? { next: new Map<string, number>() };
    this.#producers.delete(producer);
    this.#producers.set(producer, { next, usedAt: now });
    for (const [name, { usedAt }] of this.#producers) {
      if (now - usedAt <= MEMORY_MS) {
        break;
      }
      this.#producers.delete(name);
    }
    const first = new Map<string, number>();
    // By topic and then by partition: a text for every record would cost more than all the counting.
    for (const [topic, ofTopic] of Map.groupBy(records, (record) => record.topic)) {
      for (const [partition, { length }] of Map.groupBy(ofTopic, (record) => record.partition)) {
        const key = partitionKey({ topic, partition });
        const sequence = next.get(key) ?? 0;
        first.set(key, sequence);
        next.set(key, sequenceAfter(sequence, length));
      }
    }
    return first;
  }
}
