// Reading from Kafka by offset, without a group: each poll on connections of its own, straight from the leaders.
import type { Connection, ConnectionPool } from "@platformatic/kafka";
import { BridgeError, offsetOutOfRange, topicChanged, unknownPartition, unknownTopic } from "./errors.ts";
import { asBridgeError, hasKafkaCode, isPassing, pause, within } from "./kafka-errors.ts";
import type { FetchResponse, KafkaClient } from "./kafka-client.ts";
import type { KafkaMetadata, KafkaTopic } from "./kafka-metadata.ts";
import { encodeRecords } from "./kafka-records.ts";
import type { FetchOptions, FetchPosition, FetchedPartition } from "./log.ts";

/** A fetch that asks not to wait still gives Kafka this long to answer, milliseconds. */
const LEAST_DEADLINE_MS = 1_000;
/** How much earlier than the client's timeout a broker is to answer, so that the client hears of one that does not. */
const MARGIN_MS = 250;
/** Pause between tries while a leader is being elected or a broker is away, milliseconds. */
const RETRY_PAUSE_MS = 100;
/** Records grow when written as JSON: asking a broker for less than fits saves decoding what would be thrown away. */
const RAW_SHARE = 0.75;
/** `isolation.level=read_committed`. */
const READ_COMMITTED = 1;
/** Of a request outside any fetch session. */
const NO_SESSION = { id: 0, epoch: -1 };
/** Fetch names topics by id from version 13 on. */
const FIRST_VERSION_BY_ID = 13;

interface Located extends FetchPosition {
  at: KafkaTopic;
  leader: { host: string; port: number };
  index: number;
}

/** Reads positions, waiting for a first record until the timeout. */
export async function fetchFromKafka(
  client: KafkaClient,
  metadata: KafkaMetadata,
  positions: readonly FetchPosition[],
  options: FetchOptions,
): Promise<FetchedPartition[]> {
  const started = performance.now();
  const deadlineMs = Math.max(options.timeoutMs, LEAST_DEADLINE_MS);
  const deadline = AbortSignal.timeout(deadlineMs);
  const patienceMs = Math.min(options.timeoutMs, deadlineMs - Math.min(MARGIN_MS, deadlineMs / 10));
  let reached = positions.map((position): FetchedPartition => ({
    topic: position.topic,
    partition: position.partition,
    count: 0,
    records: [],
    nextOffset: position.offset,
    highWatermark: position.offset,
  }));
  for (;;) {
    const waitMs = Math.max(0, Math.floor(patienceMs - (performance.now() - started)));
    try {
      const wanted = positions.map((position, i) => ({
        ...position,
        offset: reached[i]?.nextOffset ?? position.offset,
      }));
      const located = await locate(metadata, wanted, deadline);
      reached = await fetchOnce(client, located, reached, { ...options, timeoutMs: waitMs }, deadline);
      // Markers and aborted records are passed over here: nothing to see is no reason to answer before the timeout.
      if (waitMs === 0 || options.signal.aborted || reached.some(({ count }) => count > 0)) {
        return reached;
      }
    } catch (error) {
      if (options.signal.aborted) {
        return reached;
      }
      if (!isPassing(error) || deadline.aborted) {
        throw asBridgeError(error);
      }
      positions.forEach(({ topic }) => metadata.forget(topic));
      await pause(RETRY_PAUSE_MS, deadline);
    }
  }
}

async function locate(
  metadata: KafkaMetadata,
  positions: readonly FetchPosition[],
  deadline: AbortSignal,
): Promise<Located[]> {
  const located: Located[] = [];
  for (const [index, position] of positions.entries()) {
    const at = await expectedTopic(metadata, position, deadline);
    if (position.partition >= at.leaders.length) {
      throw unknownPartition(position.topic, position.partition);
    }
    const leader = at.leaders[position.partition];
    if (leader === undefined) {
      metadata.forget(position.topic);
      throw Object.assign(new Error("partition without a leader"), { syscall: "elect" });
    }
    located.push({ ...position, at, leader, index });
  }
  return located;
}

/** The topic of a position, read anew before it is said to be another one, to lack the partition, or not to exist. */
async function expectedTopic(
  metadata: KafkaMetadata,
  { topic, topicId, partition }: FetchPosition,
  deadline: AbortSignal,
): Promise<KafkaTopic> {
  const fits = (each: KafkaTopic | undefined) =>
    each !== undefined && (topicId === undefined || each.topicId === topicId) && partition < each.leaders.length;
  let found = await metadata.topic(topic, deadline);
  if (!fits(found)) {
    found = await metadata.topic(topic, deadline, { fresh: true });
  }
  if (topicId !== undefined && found?.topicId !== topicId) {
    throw topicChanged(topic, topicId);
  }
  if (found === undefined) {
    throw unknownTopic(topic);
  }
  return found;
}

/** One request to every leader concerned; ends with the first that has records. */
async function fetchOnce(
  client: KafkaClient,
  located: readonly Located[],
  before: readonly FetchedPartition[],
  options: FetchOptions,
  deadline: AbortSignal,
): Promise<FetchedPartition[]> {
  // A signal that has ended says so only once: whoever went away while the topic was looked up is not heard of again.
  if (options.signal.aborted) {
    return [...before];
  }
  const byLeader = Map.groupBy(located, ({ leader }) => `${leader.host}:${leader.port}`);
  const connections = client.startPolling();
  const results = [...before];
  let open = byLeader.size;
  const ended = Promise.withResolvers<void>();
  const end = () => ended.resolve();
  try {
    const answered = new Promise<void>((resolve, reject) => {
      const ask = async (group: Located[]) => {
        const fetched = await fetchFromLeader(client, connections, group, located.length, options);
        open -= 1;
        fetched.forEach((each, i) => {
          results[group[i]?.index ?? 0] = each;
        });
        if (open === 0 || fetched.some(({ count }) => count > 0)) {
          resolve();
        }
      };
      byLeader.forEach((group) => void ask(group).catch(reject));
    });
    options.signal.addEventListener("abort", end);
    await within(deadline, Promise.race([answered, ended.promise]));
    return results;
  } finally {
    options.signal.removeEventListener("abort", end);
    client.donePolling(connections, open === 0);
  }
}

async function fetchFromLeader(
  client: KafkaClient,
  connections: ConnectionPool,
  group: readonly Located[],
  shares: number,
  options: FetchOptions,
): Promise<FetchedPartition[]> {
  const maxRecords = Math.max(1, Math.floor(options.maxRecords / shares));
  const maxBytes = Math.max(1, Math.floor(options.maxBytes / shares));
  const api = await client.fetchApi();
  const isById = api.version >= FIRST_VERSION_BY_ID;
  const topics = [...Map.groupBy(group, ({ at }) => at)].map(([at, positions]) => ({
    topicId: isById ? at.uuid : at.name,
    partitions: positions.map(({ partition, offset }) => ({
      partition,
      fetchOffset: BigInt(offset),
      partitionMaxBytes: Math.ceil(maxBytes * RAW_SHARE),
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
    })),
  }));
  const [first] = group;
  const connection = inOnePiece(await connections.get(first?.leader ?? { host: "", port: 0 }));
  const rawBytes = Math.ceil(maxBytes * RAW_SHARE) * group.length;
  const { id, epoch } = NO_SESSION;
  const response = await api
    .async(connection, options.timeoutMs, 1, rawBytes, READ_COMMITTED, id, epoch, topics, [], "")
    .catch((error: unknown) => {
      throw namedError(error, group);
    });
  return group.map((position) => {
    const answer = answerFor(response, isById ? position.at.uuid : position.at.name, position.partition);
    const { encoding } = options;
    const records = encodeRecords(position.topic, answer, { from: position.offset, maxRecords, maxBytes, encoding });
    // What a reader of committed records can reach; equal to the high watermark while no transaction is open.
    const end = answer.lastStableOffset >= 0n ? answer.lastStableOffset : answer.highWatermark;
    const { topic, partition, at } = position;
    return { topic, partition, topicId: at.topicId, ...records, highWatermark: Number(end) };
  });
}

/**
 * A connection whose answers are parsed from one buffer: the library looks its way through the list of what the socket
 * gave for every number it reads, which took twice as long as the parsing itself.
 */
function inOnePiece(connection: Connection): Connection {
  const send: Connection["send"] = (apiKey, version, createRequest, parse, ...rest) =>
    connection.send(
      apiKey,
      version,
      createRequest,
      (id, key, ofVersion, reader) => {
        reader.reset(reader.buffer.slice(reader.position));
        return parse(id, key, ofVersion, reader);
      },
      ...rest,
    );
  // An API sends its request and uses nothing else of a connection.
  return { send } as Connection;
}

function answerFor(response: FetchResponse, topicId: string, partition: number) {
  const topic = response.responses.find((each) => each.topicId === topicId);
  const answer = topic?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
  if (answer === undefined) {
    throw new BridgeError(500, "Internal error", { cause: new Error("a fetch answer lacks a partition asked for") });
  }
  return answer;
}

/** An offset out of range, with the position it is about. */
function namedError(error: unknown, group: readonly Located[]): unknown {
  if (!hasKafkaCode(error, "OFFSET_OUT_OF_RANGE") || !(error instanceof Error) || !("response" in error)) {
    return error;
  }
  // Made by the library's own parser, which keeps it beside the error codes it throws.
  const { responses } = error.response as FetchResponse;
  const OFFSET_OUT_OF_RANGE = 1;
  const refused = responses.flatMap(({ topicId, partitions }) =>
    partitions
      .filter(({ errorCode }) => errorCode === OFFSET_OUT_OF_RANGE)
      .map(({ partitionIndex }) =>
        group.find(({ at, partition }) => [at.uuid, at.name].includes(topicId) && partition === partitionIndex),
      ),
  );
  const position = refused.find((each) => each !== undefined) ?? group[0];
  return position === undefined ? error : offsetOutOfRange(position.topic, position.partition, position.offset);
}
