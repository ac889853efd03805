import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Follower } from "../../src/local/follower/follower.ts";
import { Ledger } from "../../src/local/follower/ledger.ts";
import { createLog } from "../../src/runtime/log.ts";
import { RememberedHistory, ScriptedLog } from "./follower-surroundings.ts";

const topics = { engagement: "user.engagement.events", subscription: "engagement.subscription.changed" };
const START = Date.parse("2026-11-20T10:58:00Z");
const MINUTE = 60_000;

let folder: string;
let ledger: Ledger;
let log: ScriptedLog;
let history: RememberedHistory;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "follower-"));
  ledger = new Ledger(join(folder, "ledger"), "one");
  log = new ScriptedLog(topics, 2);
  history = new RememberedHistory();
  lines = [];
});
afterEach(() => {
  ledger.close();
  rmSync(folder, { recursive: true });
});

function follower(now = START + 60 * MINUTE): Follower {
  const report = createLog({}, (line) => lines.push(line));
  return new Follower({ log, history, ledger, clock: { now: () => now }, report, topics });
}

async function drain(of = follower()): Promise<void> {
  while ((await of.step()) > 0) {
    // One batch after the other.
  }
}

const total = (column: string) => history.sums()["content_metrics"]?.[column] ?? 0;

describe("what the follower counts", () => {
  it("puts each event into the hour it happened in, never later than the log got it", async () => {
    log.engagement(0, START, { type: "view.started" });
    log.engagement(0, START + 3 * MINUTE, { type: "view.completed" });
    log.engagement(0, START + 3 * MINUTE, { type: "like.added", occurredAt: new Date(START).toISOString() });
    log.engagement(0, START + 3 * MINUTE, { type: "share.created", occurredAt: "2026-11-20T23:00:00Z" });
    await drain();
    const row = {
      creator_id: "crt_a",
      content_id: "cnt_1",
      views: 0,
      watch_time_s: 0,
      likes: 0,
      shares: 0,
      completions: 0,
    };
    expect(history.rows("content_metrics")).toEqual([
      { ...row, period: "2026-11-20 10:00:00", views: 1, likes: 1 },
      { ...row, period: "2026-11-20 11:00:00", completions: 1, shares: 1 },
    ]);
  });

  it("takes an event from a clock that is a month and more behind as of when the log got it", async () => {
    log.engagement(0, START, { type: "view.started", occurredAt: "1970-01-01T00:00:00Z" });
    await drain();
    expect(history.rows("content_metrics")[0]?.["period"]).toBe("2026-11-20 10:00:00");
  });

  it("counts a producer's repeat once, also across a restart", async () => {
    const repeated = { type: "like.added", eventId: "same" };
    log.engagement(0, START, repeated);
    await drain();
    log.engagement(0, START + 9 * MINUTE, repeated);
    await drain();
    expect(total("likes")).toBe(1);
  });

  it("ignores a beat that is not newer than the session's newest", async () => {
    for (const second of [0, 15, 15, 0, 30]) {
      const occurredAt = new Date(START + second * 1000).toISOString();
      log.engagement(0, START + MINUTE, { type: "view.heartbeat", occurredAt, watchSeconds: 15 });
    }
    await drain();
    expect(total("watch_time_s")).toBe(45);
  });

  it("knows the repeats of a session whose clock is ahead", async () => {
    const ahead = { type: "view.heartbeat", occurredAt: new Date(START + 8 * MINUTE).toISOString(), watchSeconds: 15 };
    log.engagement(0, START, ahead);
    log.engagement(0, START + 1_000, ahead);
    await drain();
    expect(total("watch_time_s")).toBe(15);
    expect(history.rows("content_metrics")[0]?.["period"]).toBe("2026-11-20 10:00:00");
  });

  it("counts at most a minute per beat, nothing where the seconds are missing, and subtracts a taken-back like", async () => {
    log.engagement(0, START, { type: "view.started" });
    log.engagement(0, START + MINUTE, { type: "view.heartbeat", watchSeconds: 900 });
    log.engagement(0, START + 2 * MINUTE, { type: "like.removed" });
    await drain();
    expect(history.sums()["content_metrics"]).toEqual({
      views: 1,
      watch_time_s: 60,
      likes: -1,
      shares: 0,
      completions: 0,
    });
  });

  it("collects the viewers of a day per country and device", async () => {
    log.engagement(0, START, { type: "view.started", sessionId: "s1" });
    log.engagement(0, START, { type: "view.started", sessionId: "s2", country: "GH" });
    log.engagement(0, START, { type: "view.started", sessionId: "s1", device: "tv" });
    await drain();
    const row = { creator_id: "crt_a", day: "2026-11-20" };
    expect(history.rows("audience_country_daily")).toEqual([
      { ...row, country: "NG", views: 2, viewers: '["s1"]' },
      { ...row, country: "GH", views: 1, viewers: '["s2"]' },
    ]);
    expect(history.rows("audience_device_daily")).toEqual([
      { ...row, device: "mobile", views: 2, viewers: '["s1","s2"]' },
      { ...row, device: "tv", views: 1, viewers: '["s1"]' },
    ]);
  });

  it("keeps the owner's last subscriber count beside what was gained and lost", async () => {
    log.subscription(START, { change: "subscribed", subscriberCount: 11 });
    log.subscription(START + 1, { change: "unsubscribed", subscriberCount: 10 });
    log.subscription(START + 2, { change: "subscribed" });
    await drain();
    expect(history.rows("subscriber_metrics")).toEqual([
      { creator_id: "crt_a", period: "2026-11-20 10:00:00", gained: 2, lost: 1, count: 10 },
    ]);
  });

  it("goes past records that are no event", async () => {
    for (const garbage of ["", "{", "null", "[]", '{"type":"view.started"}', { type: "view.rewound", eventId: "x" }]) {
      log.append(topics.engagement, 0, START, garbage);
    }
    log.engagement(0, START, { type: "view.started" });
    await drain();
    expect(total("views")).toBe(1);
    expect(lines.join()).toContain('"records":6');
  });
});

describe("how far the follower is", () => {
  it("is the moment it asked, once everything is carried over", async () => {
    log.engagement(0, START, { type: "view.started" });
    await drain(follower(START + 5 * MINUTE));
    expect(history.progressed).toEqual(
      new Map([
        ["content_metrics", START + 5 * MINUTE],
        ["audience", START + 5 * MINUTE],
        ["subscriber_metrics", START + 5 * MINUTE],
      ]),
    );
  });

  it("goes on after what retention removed, and says so", async () => {
    log.engagement(0, START, { type: "like.added" });
    await drain();
    for (let i = 0; i < 5; i++) {
      log.engagement(0, START, { type: "like.added" });
    }
    log.retain(topics.engagement, 0, 4);
    await drain();
    expect(total("likes")).toBe(3);
    expect(lines.join()).toContain('"event":"follower.gap"');
  });

  it("reads a recreated topic from its beginning", async () => {
    log.engagement(0, START, { type: "like.added" });
    log.engagement(0, START, { type: "like.added" });
    await drain();
    log.recreate();
    log.engagement(0, START, { type: "like.added", eventId: "after" });
    await drain();
    expect(total("likes")).toBe(3);
    expect(lines.join()).toContain('"event":"follower.topic.recreated"');
  });

  it("refuses to go on when the log ends before what it has read", async () => {
    for (let i = 0; i < 4; i++) {
      log.engagement(0, START, { type: "like.added" });
    }
    await drain();
    const shorter = new ScriptedLog(topics, 2);
    shorter.engagement(0, START, { type: "like.added" });
    log = shorter;
    await expect(drain()).rejects.toThrow("before the offset 4");
  });
});
