import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Tests in workerd see one main Worker each: only its own objects can be evicted and looked into. */
const inWorkerd = (name: string, configPath: string, bindings: Record<string, string>) => ({
  plugins: [cloudflareTest({ wrangler: { configPath }, miniflare: { bindings } })],
  test: { name, include: [`test/worker/${name}/**/*.test.ts`] },
});

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
    projects: [
      inNode("unit"),
      inNode("sim", { testTimeout: 600_000 }),
      inWorkerd("api", "./wrangler.toml", { DATABASE_URL: "", CLICKHOUSE_PASSWORD: "" }),
      inWorkerd("consumer", "./src/consumer/wrangler.toml", { KAFKA_REST_PASSWORD: "", ADMIN_TOKEN: "" }),
      inNode("local", { testTimeout: 60_000 }),
      inNode("bridge", { testTimeout: 60_000 }),
      inNode("flow", { testTimeout: 60_000, fileParallelism: false }),
      inNode("faults", { testTimeout: 300_000, fileParallelism: false }),
      inNode("browser", { testTimeout: 60_000, fileParallelism: false }),
    ],
  },
});
