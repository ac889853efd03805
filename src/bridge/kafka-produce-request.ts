// The library's producer with a faster pen: partitions, producers, brokers and when to try again stay the library's; the
// bytes of a Produce request are written here, by the deliveries' word on what to send and by which sequences.
import { ResponseError, kGetApi, Writer } from "@platformatic/kafka";
import type { API, Connection, Producer, produceV11 } from "@platformatic/kafka";
import type { AppendTimes } from "./kafka-append-times.ts";
import { Deliveries } from "./kafka-deliveries.ts";
import { encodeRecordBatch } from "./kafka-record-batch.ts";
import type { BatchRecord } from "./kafka-record-batch.ts";

/** A producer that hands texts on as they are. */
export type TextProducer = Producer<string, string | Uint8Array, Uint8Array, Uint8Array>;

/** A record as the producer hands it on, its partition chosen. */
export interface ProducedRecord extends BatchRecord {
  readonly topic: string;
  readonly partition: number;
}

/** What the producer says of a request: it neither compresses nor has transactions. */
export interface ProduceOptions {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The first sequence of each `topic:partition`. */
  readonly sequences: ReadonlyMap<string, number>;
}

/** Produce has compact lengths and tags from version 9 on. */
const FIRST_COMPACT_VERSION = 9;

/** The body of a Produce request, versions 3 to 11. */
export function produceRequest(
  version: number,
  acks: number,
  timeoutMs: number,
  records: readonly ProducedRecord[],
  { producerId, producerEpoch, sequences }: ProduceOptions,
): Writer {
  const compact = version >= FIRST_COMPACT_VERSION;
  const request = Writer.create().appendString(null, compact).appendInt16(acks).appendInt32(timeoutMs);
  const byTopic = [...Map.groupBy(records, ({ topic }) => topic)];
  const writePartition =
    (topic: string) =>
    (writer: Writer, [partition, batch]: [number, ProducedRecord[]]) => {
      const firstSequence = sequences.get(`${topic}:${partition}`) ?? 0;
      const bytes = encodeRecordBatch(batch, { producerId, producerEpoch, firstSequence });
      writer.appendInt32(partition).appendBytes(bytes, compact);
    };
  request.appendArray(
    byTopic,
    (writer, [topic, ofTopic]) => {
      const byPartition = [...Map.groupBy(ofTopic, ({ partition }) => partition)];
      writer.appendString(topic, compact).appendArray(byPartition, writePartition(topic), compact, compact);
    },
    compact,
    compact,
  );
  return compact ? request.appendTaggedFields() : request;
}

/** Makes a producer write its requests with {@link produceRequest}, and note when brokers say to have stored them. */
export function writeAtOnce(producer: TextProducer, appendTimes: AppendTimes): void {
  const deliveries = new Deliveries();
  const getApi = producer[kGetApi].bind(producer);
  producer[kGetApi] = <Parameters extends unknown[], Answer>(
    name: string,
    callback: (error: Error | null, api?: API<Parameters, Answer>) => void,
  ) =>
    getApi<Parameters, Answer>(name, (error, api) => {
      // The library finds an API by its name: this one is of that type.
      const ours = name === "Produce" && api && faster(api as unknown as ProduceApi, deliveries, appendTimes);
      callback(error, ours ? (ours as unknown as typeof api) : api);
    });
}

type ProduceApi = typeof produceV11.api;

/** The same API, whose requests are written here. */
function faster(api: ProduceApi, deliveries: Deliveries, appendTimes: AppendTimes): ProduceApi {
  const produce = (
    connection: Connection,
    ...parameters: Parameters<ProduceApi> extends [unknown, ...infer Rest] ? Rest : never
  ) => {
    const [acks = 1, timeoutMs = 0, messages, given, callback] = parameters;
    // What the producer was given: it hands on texts as they are, and says whose batches they are.
    const all = messages as ProducedRecord[];
    const options = given as ProduceOptions;
    const { records, sequences } = deliveries.remainder(all, options);
    const send: Connection["send"] = (key, version, _createRequest, ...rest) =>
      connection.send(
        key,
        version,
        () => produceRequest(version, acks, timeoutMs, records, { ...options, sequences }),
        ...rest,
      );
    // An API sends its request and uses nothing else of a connection.
    api({ send } as Connection, acks, timeoutMs, messages, given, (error, response) => {
      if (error instanceof ResponseError && "response" in error) {
        // Made by the library's own parser, which keeps it beside the error codes it throws.
        const refusal = error.response as produceV11.ProduceResponse;
        deliveries.refused(all, refusal);
        appendTimes.answered(refusal);
      }
      if (typeof response === "object") {
        appendTimes.answered(response);
        callback?.(error, deliveries.answered(all, response));
      } else {
        callback?.(error, response);
      }
    });
  };
  return Object.assign(produce, { async: api.async, key: api.key, version: api.version });
}
