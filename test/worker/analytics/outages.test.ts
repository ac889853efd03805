// ClickHouse down, slow or talking nonsense: a 503 within two seconds, at once while the breaker is open, and never a
// wrong number.
import { expect, test } from "vitest";
import { bodyOf, creatorNo, logged, openApp, withHostile, withoutClickHouse } from "./analytics-client.ts";
import { SEEDED_AT } from "./seeded-at.ts";

const item = creatorNo(1).items.find(({ status }) => status === "published")?.contentId;
const paths = ["overview?range=7d", `content/${item}?range=7d`, "audience?range=7d"];

async function timed(request: Promise<Response>): Promise<{ response: Response; seconds: number }> {
  const startedAt = performance.now();
  const response = await request;
  return { response, seconds: (performance.now() - startedAt) / 1_000 };
}

test.each(paths)("%s answers 503 with Retry-After when nobody listens", async (path) => {
  const { response, seconds } = await timed(openApp(withoutClickHouse)(path));

  expect(response.status).toBe(503);
  expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
  expect(await bodyOf(response)).toMatchObject({ code: "analytics_unavailable", status: 503 });
  expect(seconds).toBeLessThan(2);
});

test.each([
  "html",
  "html_502",
  "nothing",
  "truncated",
  "wrong_types",
  "no_data",
  "exception_after_200",
  "exception",
  "endless",
  "silent",
  "silent_body",
])("a server that answers %s gives a 503 within two seconds, and nothing it said", async (misbehaviour) => {
  const { response, seconds } = await timed(openApp(withHostile(misbehaviour))("overview?range=7d"));

  const text = await response.text();
  expect(response.status).toBe(503);
  expect(text).not.toMatch(/DB::Exception|html|ingest_progress|SELECT/);
  expect(seconds).toBeLessThan(2);
});

test("after three failures nobody waits for it, until a probe finds it back", async () => {
  let nowMs = SEEDED_AT;
  const down = openApp(withHostile("silent"), () => nowMs);
  await Promise.all([down("overview?range=7d"), down("overview?range=7d"), down("overview?range=7d")]);

  logged.length = 0;
  const spared = await timed(down("overview?range=7d"));
  const linesWhileOpen = logged.join("\n");
  nowMs += 1_000;
  const [probe, another] = await Promise.all([timed(down("overview?range=7d")), timed(down("overview?range=7d"))]);

  expect(spared.response.status).toBe(503);
  expect(spared.seconds).toBeLessThan(0.25);
  expect(linesWhileOpen).toContain('"outcome":"spared"');
  // One of the two is the probe and waits; the other does not.
  expect(Math.max(probe.seconds, another.seconds)).toBeGreaterThan(1);
  expect(Math.min(probe.seconds, another.seconds)).toBeLessThan(0.25);
});
