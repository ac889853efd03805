import { expect, test } from "vitest";
import { boundedBody } from "../../src/store/bounded-body.ts";

test("a body within the bound is read as it is, with its status and headers", async () => {
  const bounded = boundedBody(new Response("12345", { status: 404, headers: { "X-Kept": "yes" } }), 5);

  expect([bounded.status, bounded.headers.get("X-Kept"), await bounded.text()]).toEqual([404, "yes", "12345"]);
});

test("a body that never ends is not read beyond the bound", async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1_000;
      controller.enqueue(new Uint8Array(1_000));
    },
  });

  await expect(boundedBody(new Response(endless), 10_000).text()).rejects.toThrow("more than 10000 bytes");
  expect(sent).toBeLessThan(20_000);
});

test("a response without a body has none", () => {
  expect(boundedBody(new Response(null, { status: 204 }), 10).body).toBeNull();
});
