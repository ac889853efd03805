// The connections to Kafka: one client for metadata, offsets and groups, one for producing, and connections of their own
// for long polls, so that a waiting poll never holds up anything else.
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { Admin, ConnectionPool, Producer, kGetApi, kGetBootstrapConnection, parseBroker } from "@platformatic/kafka";
import type { Base, BaseOptions, Connection, SASLMechanismValue, fetchV17, metadataV12 } from "@platformatic/kafka";

import { logUnavailable } from "./errors.ts";
import { BrokerOrder } from "./kafka-brokers.ts";
import { isPassing } from "./kafka-errors.ts";
import { AppendTimes } from "./kafka-append-times.ts";
import { writeAtOnce } from "./kafka-produce-request.ts";
import type { TextProducer } from "./kafka-produce-request.ts";
import { keepPartitions } from "./kafka-producer-metadata.ts";

/** How to reach Kafka. */
export interface KafkaOptions {
  /** `host:port` of some brokers; the rest is found. */
  brokers: readonly string[];
  /** TLS with the system's certificate authorities, or with those of a PEM file. */
  tls?: { caFile?: string | undefined } | undefined;
  sasl?: { mechanism: SASLMechanismValue; username: string; password: string } | undefined;
}

/** The newest versions' shapes; older ones answer the same members, and versions up to 12 of Fetch go by topic names. */
export type FetchApi = typeof fetchV17.api;
export type FetchResponse = fetchV17.FetchResponse;
export type FetchResponsePartition = fetchV17.FetchResponsePartition;
export type MetadataApi = typeof metadataV12.api;
export type MetadataResponse = metadataV12.MetadataResponse;

/** A broker that does not accept a connection in this time is as good as down. */
const CONNECT_TIMEOUT_MS = 2_000;
/** Longer than the longest poll. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Poll connections kept open when nobody polls. */
const IDLE_POLLS = 64;

/** The clients and connections behind one bridge. */
export class KafkaClient {
  readonly admin: Admin;
  readonly producer: TextProducer;
  readonly appendTimes = new AppendTimes();
  /** Who is asked about the cluster, by every client here. */
  readonly brokers: BrokerOrder;
  readonly #options: BaseOptions;
  readonly #idle: ConnectionPool[] = [];
  readonly #polling = new Set<ConnectionPool>();

  constructor(options: KafkaOptions) {
    this.#options = baseOptions(options);
    this.brokers = new BrokerOrder(options.brokers);
    this.admin = new Admin(this.#options);
    // Retries of an idempotent producer cannot store a record twice; a stalled one must end before its request does.
    this.producer = new Producer({
      ...this.#options,
      idempotent: true,
      retries: 3,
      retryDelay: (_client, _operation, attempt) => 100 * 3 ** (attempt - 1),
    });
    this.brokers.guide(this.admin);
    keepPartitions(this.producer);
    writeAtOnce(this.producer, this.appendTimes);
    this.brokers.guide(this.producer);
  }

  /** What further clients, such as members of groups, connect with. */
  get options(): BaseOptions {
    return this.#options;
  }

  /** The newest version of an API that this library and the brokers speak. */
  async fetchApi(): Promise<FetchApi> {
    return negotiated<FetchApi>(this.admin, "Fetch");
  }

  async metadataApi(): Promise<MetadataApi> {
    return negotiated<MetadataApi>(this.admin, "Metadata");
  }

  /** A connection to the broker whose turn it is, or to the next one that accepts it. */
  anyBroker(): Promise<Connection> {
    return new Promise((resolve, reject) => {
      this.admin[kGetBootstrapConnection]((error, connection) => {
        if (connection !== undefined) {
          resolve(connection);
        } else {
          // A certificate or a login that does not fit will not fit at the next try either.
          reject(isPassing(error) ? error : logUnavailable(error));
        }
      });
    });
  }

  /** Connections for one poll; give them back with {@link donePolling}, or close them. */
  startPolling(): ConnectionPool {
    const connections = this.#idle.pop() ?? new ConnectionPool(CLIENT_ID, this.#options);
    this.#polling.add(connections);
    return connections;
  }

  /** Takes a poll's connections back: kept when the poll has its answer, closed when something is still on its way. */
  donePolling(connections: ConnectionPool, isIdle: boolean): void {
    this.#polling.delete(connections);
    if (isIdle && this.#idle.length < IDLE_POLLS) {
      this.#idle.push(connections);
    } else {
      connections.close(() => undefined);
    }
  }

  get polls(): number {
    return this.#polling.size;
  }

  async close(): Promise<void> {
    const connections = [...this.#idle.splice(0), ...this.#polling];
    await Promise.allSettled([this.admin.close(), this.producer.close(), ...connections.map((each) => each.close())]);
  }
}

const CLIENT_ID = "bridge";

function baseOptions({ brokers, tls, sasl }: KafkaOptions): BaseOptions {
  return {
    clientId: CLIENT_ID,
    bootstrapBrokers: [...brokers],
    // The bridge retries by itself, with fresh metadata and its own deadline.
    retries: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    ...(tls === undefined
      ? {}
      : {
          tls: tls.caFile === undefined ? {} : { ca: readFileSync(tls.caFile) },
          // Names are sent so that brokers behind one address can be told apart; addresses must not be (RFC 6066, 3).
          tlsServerName: !brokers.some((broker) => isIP(parseBroker(broker).host) > 0),
        }),
    ...(sasl === undefined ? {} : { sasl }),
  };
}

function negotiated<Api>(client: Base, name: string): Promise<Api> {
  return new Promise((resolve, reject) => {
    client[kGetApi](name, (error, api) => {
      if (error !== null || api === undefined) {
        reject(error ?? new Error(`no version of ${name}`));
      } else {
        // The library picks the module by name at run time; all versions of these two answer the members used here.
        resolve(api as Api);
      }
    });
  });
}
