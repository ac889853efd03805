// `npm run types`: generates the Workers' binding types from their wrangler.toml. `--check` fails on drift instead.
import { spawnSync } from "node:child_process";

const parts = [
  { out: "src/api/worker-configuration.d.ts", name: "ApiEnv", configs: ["wrangler.toml"] },
  // The API Worker's configuration comes second, so that the stubs of its objects are typed.
  {
    out: "src/consumer/worker-configuration.d.ts",
    name: "ConsumerEnv",
    configs: ["src/consumer/wrangler.toml", "wrangler.toml"],
  },
];

for (const { out, name, configs } of parts) {
  const options = ["--env-interface", name, "--include-runtime=false", "--strict-vars=false"];
  const config = configs.flatMap((file) => ["-c", file]);
  const result = spawnSync("wrangler", ["types", out, ...options, ...config, ...process.argv.slice(2)], {
    encoding: "utf8",
  });
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}`);
    process.exit(1);
  }
}
