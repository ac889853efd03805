import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { ClosingLineReporter } from "./test/closing-line-reporter.ts";

// Tests in workerd see one main Worker each: only its own objects can be evicted and looked into.

/** The API Worker in workerd, configured against the real services that its global set-up starts. */
const apiInWorkerd = {
  plugins: [
    cloudflareTest(({ inject }) => {
      const { issuer, jwksUrl, databaseUrl, neonEndpoint } = inject("apiServices");
      return {
        wrangler: { configPath: "./wrangler.toml" },
        miniflare: {
          bindings: {
            AUTH_ISSUER: issuer,
            AUTH_JWKS_URL: jwksUrl,
            ALLOWED_ORIGINS: "https://dashboard.test",
            DATABASE_URL: databaseUrl,
            NEON_ENDPOINT: neonEndpoint,
            // Nobody listens on the discard port: analytics are down here, and everything else must not mind.
            CLICKHOUSE_URL: "http://127.0.0.1:9",
            CLICKHOUSE_PASSWORD: "",
          },
        },
      };
    }),
  ],
  test: {
    name: "api",
    include: ["test/worker/api/**/*.test.ts"],
    globalSetup: ["test/worker/api/setup-services.ts"],
  },
};

/** The same for its analytics: with the seed in Postgres and ClickHouse. */
const analyticsInWorkerd = {
  plugins: [
    cloudflareTest(({ inject }) => {
      const { issuer, jwksUrl, databaseUrl, neonEndpoint } = inject("apiServices");
      const { clickhouse } = inject("analyticsServices");
      return {
        wrangler: { configPath: "./wrangler.toml" },
        miniflare: {
          bindings: {
            AUTH_ISSUER: issuer,
            AUTH_JWKS_URL: jwksUrl,
            ALLOWED_ORIGINS: "https://dashboard.test",
            DATABASE_URL: databaseUrl,
            NEON_ENDPOINT: neonEndpoint,
            CLICKHOUSE_URL: clickhouse.url,
            CLICKHOUSE_USERNAME: clickhouse.username,
            CLICKHOUSE_PASSWORD: clickhouse.password,
          },
        },
      };
    }),
  ],
  test: {
    name: "analytics",
    include: ["test/worker/analytics/**/*.test.ts"],
    globalSetup: ["test/worker/analytics/setup-databases.ts"],
  },
};

/** The consumer Worker in workerd, before a real bridge; the API Worker's objects are stubs that the tests look into. */
const consumerInWorkerd = {
  plugins: [
    cloudflareTest(({ inject }) => {
      const { kafkaRestUrl, kafkaRestPassword } = inject("consumerServices");
      return {
        wrangler: { configPath: "./src/consumer/wrangler.toml" },
        miniflare: {
          bindings: {
            KAFKA_REST_URL: kafkaRestUrl,
            KAFKA_REST_PASSWORD: kafkaRestPassword,
            ADMIN_TOKEN: "the admin token of the consumer's tests",
          },
          workers: [
            {
              name: "creator-dashboard-api",
              modules: true,
              scriptPath: "test/worker/consumer/stub-hubs.mjs",
              compatibilityDate: "2026-11-01",
              durableObjects: {
                CREATOR_HUB: { className: "CreatorHub", useSQLite: true },
                WATCH_LIST: { className: "WatchList", useSQLite: true },
              },
            },
          ],
        },
      };
    }),
  ],
  test: {
    name: "consumer",
    include: ["test/worker/consumer/**/*.test.ts"],
    // Dead letters are stored with a checkpoint: every ten seconds.
    testTimeout: 30_000,
    globalSetup: ["test/worker/consumer/setup-bridge.ts"],
  },
};

const inNode = (name: string, options: { testTimeout?: number; fileParallelism?: boolean } = {}) => ({
  test: {
    name,
    environment: "node" as const,
    include: [`test/${name}/**/*.test.ts`],
    hookTimeout: 120_000,
    ...options,
  },
});

export default defineConfig({
  test: {
    // Two cores: more workers than that only make every test slower.
    maxWorkers: 2,
    reporters: ["default", new ClosingLineReporter()],
    projects: [
      inNode("unit"),
      inNode("sim", { testTimeout: 600_000 }),
      apiInWorkerd,
      analyticsInWorkerd,
      consumerInWorkerd,
      inNode("local", { testTimeout: 60_000 }),
      inNode("bridge", { testTimeout: 60_000 }),
      inNode("flow", { testTimeout: 60_000, fileParallelism: false }),
      inNode("faults", { testTimeout: 300_000, fileParallelism: false }),
      inNode("browser", { testTimeout: 60_000, fileParallelism: false }),
    ],
  },
});
