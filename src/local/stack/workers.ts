// The two Workers in `wrangler dev`: two processes that find each other through a registry in the data folder, so that
// two clones on one machine never meet.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { HOST } from "./addresses.ts";
import type { PartOptions } from "./part.ts";

/** Where the databases are, embedded or real. */
export interface Databases {
  readonly databaseUrl: string;
  /** Empty for Neon itself. */
  readonly neonEndpoint: string;
  readonly clickhouse: {
    readonly url: string;
    readonly database: string;
    /** The pipeline's user, who fills the tables. */
    readonly writer: { readonly username: string; readonly password: string };
    /** The product's user, who may only read. */
    readonly reader: { readonly username: string; readonly password: string };
  };
}

/** Variables and secrets of a Worker, as its configuration names them. */
export interface WorkerSettings {
  readonly vars: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** The API Worker's settings for this stack. */
export function apiSettings(of: {
  databases: Databases;
  issuerUrl: string;
  origins: readonly string[];
}): WorkerSettings {
  const { databaseUrl, neonEndpoint, clickhouse } = of.databases;
  return {
    vars: {
      NEON_ENDPOINT: neonEndpoint,
      CLICKHOUSE_URL: clickhouse.url,
      CLICKHOUSE_DATABASE: clickhouse.database,
      CLICKHOUSE_USERNAME: clickhouse.reader.username,
      AUTH_ISSUER: of.issuerUrl,
      AUTH_JWKS_URL: `${of.issuerUrl}/jwks`,
      ALLOWED_ORIGINS: of.origins.join(","),
    },
    secrets: { DATABASE_URL: databaseUrl, CLICKHOUSE_PASSWORD: clickhouse.reader.password },
  };
}

/** The consumer Worker's settings for this stack. */
export function consumerSettings(of: {
  kafkaRestUrl: string;
  kafkaRestPassword: string;
  adminToken: string;
}): WorkerSettings {
  return {
    vars: { KAFKA_REST_URL: of.kafkaRestUrl, KAFKA_REST_USERNAME: "reader" },
    secrets: { KAFKA_REST_PASSWORD: of.kafkaRestPassword, ADMIN_TOKEN: of.adminToken },
  };
}

/**
 * A part that runs one Worker in `wrangler dev`. Secrets travel in its environment, so that no command line shows them.
 * @param options `name` is the Worker's own, as in its configuration
 */
export function wranglerDev(
  options: { name: string; config: string; port: number; persistTo: string; registry: string } & WorkerSettings,
): Pick<PartOptions, "script" | "args" | "env" | "prepare"> {
  const vars = Object.entries(options.vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  return {
    script: "node_modules/wrangler/wrangler-dist/cli.js",
    args: [
      "dev",
      "--config",
      options.config,
      "--port",
      String(options.port),
      "--ip",
      HOST,
      "--inspector-port",
      "0",
      "--persist-to",
      options.persistTo,
      "--show-interactive-dev-session=false",
      ...vars,
    ],
    env: {
      ...options.secrets,
      WRANGLER_REGISTRY_PATH: options.registry,
      WRANGLER_SEND_METRICS: "false",
    },
    // wrangler believes the entry of a killed process for 90 s, and keeps its successor out of the registry until then.
    prepare: () => rmSync(join(options.registry, options.name), { force: true }),
  };
}
