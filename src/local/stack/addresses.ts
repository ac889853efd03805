// Where the parts of the local stack listen: consecutive ports from one, so that addresses stay the same over restarts.
import { createServer } from "node:net";

/** Everything listens here and nowhere else. */
export const HOST = "127.0.0.1";

const order = ["api", "consumer", "bridge", "clickhouse", "postgres", "issuer"] as const;
/** Parts that listen. */
export type Listener = (typeof order)[number];
/** The port of each listening part. */
export type Ports = Readonly<Record<Listener, number>>;

/** The ports from `first` (the dashboard's own) upwards. `first` is 1 to 65,530. */
export function portsFrom(first: number): Ports {
  const [api, consumer, bridge, clickhouse, postgres, issuer] = order.map((_, index) => first + index);
  if (!api || !consumer || !bridge || !clickhouse || !postgres || !issuer) {
    throw new RangeError(`not a port: ${first}`);
  }
  return { api, consumer, bridge, clickhouse, postgres, issuer };
}

/** Those of `ports` that something else listens on already. */
export async function takenPorts(ports: readonly number[]): Promise<number[]> {
  const free = await Promise.all(ports.map(isFree));
  return ports.filter((_, index) => !free[index]);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
