import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { ClosingLineReporter } from "./test/closing-line-reporter.ts";

/** Tests in workerd see one main Worker each: only its own objects can be evicted and looked into. */
const inWorkerd = (name: string, configPath: string, bindings: Record<string, string>) => ({
  plugins: [cloudflareTest({ wrangler: { configPath }, miniflare: { bindings } })],
  test: { name, include: [`test/worker/${name}/**/*.test.ts`] },
});

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
      inWorkerd("consumer", "./src/consumer/wrangler.toml", { KAFKA_REST_PASSWORD: "", ADMIN_TOKEN: "" }),
      inNode("local", { testTimeout: 60_000 }),
      inNode("bridge", { testTimeout: 60_000 }),
      inNode("flow", { testTimeout: 60_000, fileParallelism: false }),
      inNode("faults", { testTimeout: 300_000, fileParallelism: false }),
      inNode("browser", { testTimeout: 60_000, fileParallelism: false }),
    ],
  },
});
