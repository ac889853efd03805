// History and the live count are two readings of one log: after a drain they say the same.
import * as fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { decodeEngagement } from "../../src/consumer/decode/decode-engagement.ts";
import { Rejected, Skipped } from "../../src/consumer/decode/rejection.ts";
import { EngagementFold } from "../../src/consumer/fold/engagement-fold.ts";
import { engagementTypes } from "../../src/contract/events.ts";
import { Follower } from "../../src/local/follower/follower.ts";
import { Ledger } from "../../src/local/follower/ledger.ts";
import { createLog } from "../../src/runtime/log.ts";
import { RememberedHistory, ScriptedLog } from "./follower-surroundings.ts";

const topics = { engagement: "user.engagement.events", subscription: "engagement.subscription.changed" };
const START = Date.parse("2026-11-20T10:00:00Z");

/** Few ids and instants, so that repeats, overtaken beats and changes of item are frequent. */
const eventArbitrary = fc.record({
  eventId: fc.integer({ min: 0, max: 40 }).map((id) => `e${id}`),
  type: fc.constantFrom(...engagementTypes, "view.rewound"),
  contentId: fc.constantFrom("cnt_1", "cnt_2"),
  creatorId: fc.constantFrom("crt_a", "crt_b"),
  sessionId: fc.constantFrom("s1", "s2", "s3"),
  second: fc.integer({ min: -60, max: 400 }),
  watchSeconds: fc.option(fc.constantFrom(0, 5, 15, 60, 600), { nil: undefined }),
});

async function historyOf(log: ScriptedLog): Promise<Map<string, number[]>> {
  const folder = mkdtempSync(join(tmpdir(), "follower-"));
  const ledger = new Ledger(folder, "one");
  const history = new RememberedHistory();
  const report = createLog({}, () => undefined);
  const follower = new Follower({ log, history, ledger, clock: { now: () => START }, report, topics });
  while ((await follower.step()) > 0) {
    // One batch after the other.
  }
  ledger.close();
  rmSync(folder, { recursive: true });
  const sums = new Map<string, number[]>();
  for (const row of history.rows("content_metrics")) {
    const key = `${row["creator_id"]} ${row["content_id"]}`;
    const sum = sums.get(key) ?? [0, 0, 0, 0, 0];
    const columns = ["views", "watch_time_s", "likes", "shares", "completions"];
    sums.set(
      key,
      columns.map((column, at) => (sum[at] ?? 0) + Number(row[column])),
    );
  }
  return sums;
}

function liveCountOf(records: readonly { timestamp: number; value: string }[]): Map<string, number[]> {
  const fold = new EngagementFold();
  for (const [offset, { timestamp, value }] of records.entries()) {
    const event = decodeEngagement({ offset, timestamp, key: "", value });
    if (event instanceof Skipped) {
      fold.skip(timestamp, event.type);
    } else if (event instanceof Rejected) {
      fold.refuse(timestamp);
    } else {
      fold.apply(timestamp, event);
    }
  }
  const sums = new Map<string, number[]>();
  const { items } = fold.state;
  const { views, watchSeconds, likes, shares, completions } = items.columns;
  for (let item = 0; item < items.size; item++) {
    const counts = [views, watchSeconds, likes, shares, completions].map((column) => column[item] ?? 0);
    if (counts.some((count) => count !== 0)) {
      sums.set(`${items.creatorOf(item)?.id} ${items.contentIdOf(item)}`, counts);
    }
  }
  return sums;
}

it("adds to history exactly what the live count shows, whatever producers repeat, overtake or get wrong", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(eventArbitrary, { maxLength: 60 }), async (events) => {
      const log = new ScriptedLog(topics, 1);
      const records = events.map(({ second, ...event }, at) => ({
        timestamp: START + at * 5_000,
        value: JSON.stringify({ ...event, occurredAt: new Date(START + second * 1_000).toISOString() }),
      }));
      for (const { timestamp, value } of records) {
        log.append(topics.engagement, 0, timestamp, value);
      }
      const history = await historyOf(log);
      const nonZero = new Map([...history].filter(([, counts]) => counts.some((count) => count !== 0)));
      expect(nonZero).toEqual(liveCountOf(records));
    }),
    { numRuns: 150 },
  );
});
