// Where the Neon driver sends its next call. The driver keeps its address in a global that it reads synchronously when a
// call begins: whoever sets it and calls at once cannot be disturbed by another.
import { neonConfig } from "@neondatabase/serverless";
import type { PostgresConnection } from "./postgres.ts";

/** Neon's own rule, taken before anyone sets another. */
const neonAddress = neonConfig.fetchEndpoint;

/** Points the driver at a connection's server. The caller must begin its call before it awaits anything. */
export function pointDriverAt({ endpoint }: PostgresConnection): void {
  neonConfig.fetchEndpoint = endpoint ?? neonAddress;
}
