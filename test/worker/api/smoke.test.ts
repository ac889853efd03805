import { env, exports } from "cloudflare:workers";
import { expect, test } from "vitest";
test("runs", async () => {
  expect((await exports.default.fetch("http://x/")).status).toBe(404);
  expect(env.CREATOR_HUB).toBeDefined();
});
