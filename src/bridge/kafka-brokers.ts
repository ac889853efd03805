// Which broker is asked first. Any of them can answer for the cluster, but one that hangs still accepts connections, and
// the library would ask the first of its list for ever.
import { ConnectionStatuses, kGetBootstrapConnection, parseBroker } from "@platformatic/kafka";
import type { Base, Broker } from "@platformatic/kafka";

const keyOf = ({ host, port }: Broker) => `${host}:${port}`;

/** The brokers of a cluster in the order in which they are asked, shared by all clients of one bridge. */
export class BrokerOrder {
  readonly #configured: readonly Broker[];
  #brokers: Broker[];

  constructor(configured: readonly string[]) {
    this.#configured = configured.map((each) => parseBroker(each));
    this.#brokers = [...this.#configured];
  }

  /** The broker whose turn it is. */
  get first(): Broker | undefined {
    return this.#brokers[0];
  }

  /** Makes a client ask in this order, at every try: the library's own turns would come round to one that hangs. */
  guide(client: Base): void {
    client[kGetBootstrapConnection] = (callback) => client.connections.getFirstAvailable(this.#brokers, callback);
  }

  /** Takes in what the cluster says of itself; the turn stays where it is. */
  learn(found: readonly Broker[]): void {
    const present = new Map([...this.#configured, ...found].map((each) => [keyOf(each), each]));
    const inOrder = this.#brokers.filter((each) => present.has(keyOf(each)));
    const known = new Set(inOrder.map(keyOf));
    this.#brokers = [...inOrder, ...[...present.values()].filter((each) => !known.has(keyOf(each)))];
  }

  /** The turn goes on, unless it has already; what waits on this broker's connection is told so. */
  passOver(broker: Broker | undefined, client: Base): void {
    if (broker === undefined || this.first !== broker) {
      return;
    }
    // A list of its own: a connection under way walks through the old one.
    this.#brokers = [...this.#brokers.slice(1), broker];
    const connection = client.connections.getEstablishedConnection(broker);
    // One that is still being made ends by its own timeout.
    if (connection !== undefined && connection.status !== ConnectionStatuses.CONNECTING) {
      connection.close(() => undefined);
    }
  }
}
