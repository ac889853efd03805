// The composition root: what a handler may use, made for one request. Handlers construct no clients of their own.
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { createAnalytics, type Analytics } from "../store/clickhouse/analytics.ts";
import { CircuitBreaker } from "../store/clickhouse/circuit-breaker.ts";
import { createPostgres, type Postgres } from "../store/postgres/postgres.ts";
import type { Configuration } from "./configuration.ts";

/** The stores, the clock and the log of one request. */
export interface Services {
  readonly clock: Clock;
  /** For work that outlives the request; what belongs to the request goes into its one line. */
  readonly log: Log;
  readonly configuration: Configuration;
  readonly postgres: Postgres;
  readonly analytics: Analytics;
}

/** One for each ClickHouse, shared by the isolate's requests: it holds numbers, no connection. */
const breakers = new WeakMap<Configuration["clickhouse"], CircuitBreaker>();

/** Makes them; opens no connection. */
export function createServices(configuration: Configuration, clock: Clock, log: Log): Services {
  const breaker = breakers.get(configuration.clickhouse) ?? new CircuitBreaker(clock);
  breakers.set(configuration.clickhouse, breaker);
  return {
    clock,
    log,
    configuration,
    postgres: createPostgres(configuration.postgres),
    analytics: createAnalytics(configuration.clickhouse, {
      breaker,
      clock,
      observe: ({ outcome, ...asked }) => {
        if (outcome !== "answered") {
          log.warn("question", { outcome, ...asked });
        }
      },
    }),
  };
}
