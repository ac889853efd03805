// The follower over a real ledger file, with a crash before and after every single call it makes: what history then holds
// must be what an uninterrupted run gives.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Follower } from "../../src/local/follower/follower.ts";
import { type Batch, Ledger, type PendingInsert } from "../../src/local/follower/ledger.ts";
import type { TableRows } from "../../src/local/follower/increments.ts";
import { createLog } from "../../src/runtime/log.ts";
import { RememberedHistory, ScriptedLog } from "./follower-surroundings.ts";

const report = createLog({}, () => undefined);
const START = Date.parse("2026-11-20T10:00:00Z");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "follower-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

class Crash extends Error {}

/** Crashes at the n-th point of a run; every call has a point before and one after. */
class CrashPoints {
  #left: number;
  constructor(crashAt: number) {
    this.#left = crashAt;
  }
  get reached(): boolean {
    return this.#left < 0;
  }
  pass(): void {
    if (this.#left-- === 0) {
      throw new Crash();
    }
  }
}

class CrashingLedger extends Ledger {
  readonly #points: CrashPoints;
  constructor(at: string, points: CrashPoints) {
    super(at, "ledger");
    this.#points = points;
  }
  override pin(batches: readonly Batch[], tables: readonly TableRows[]): void {
    this.#points.pass();
    super.pin(batches, tables);
    this.#points.pass();
  }
  override settle(): void {
    this.#points.pass();
    super.settle();
    this.#points.pass();
  }
}

class CrashingHistory extends RememberedHistory {
  points = new CrashPoints(Number.POSITIVE_INFINITY);
  override async insert(insert: PendingInsert): Promise<void> {
    this.points.pass();
    await super.insert(insert);
    this.points.pass();
  }
  override async progress(source: string, completeThrough: number, now: number): Promise<void> {
    this.points.pass();
    await super.progress(source, completeThrough, now);
    this.points.pass();
  }
}

const topics = { engagement: "user.engagement.events", subscription: "engagement.subscription.changed" };

/** Two batches, the second partly a producer's repeat of the first, in two partitions and two topics. */
function firstEvents(log: ScriptedLog): void {
  for (let i = 0; i < 6; i++) {
    const at = START + i * 15_000;
    log.engagement(i % 2, at, {
      type: i < 2 ? "view.started" : "view.heartbeat",
      sessionId: `s${i % 2}`,
      watchSeconds: 15,
    });
  }
  log.engagement(0, START + 91_000, { type: "like.added", eventId: "like", sessionId: "s0" });
  log.subscription(START + 92_000, { change: "subscribed", eventId: "sub", subscriberCount: 11 });
}

function secondEvents(log: ScriptedLog): void {
  log.engagement(0, START + 91_000, { type: "like.added", eventId: "like", sessionId: "s0" });
  log.subscription(START + 92_000, { change: "subscribed", eventId: "sub", subscriberCount: 11 });
  log.engagement(0, START + 100_000, { type: "view.completed", sessionId: "s0" });
  log.engagement(1, START + 100_000, { type: "view.heartbeat", sessionId: "s1", watchSeconds: 10 });
}

/** Runs until the log is drained, beginning again after each crash as a restarted process would. */
async function drain(at: string, log: ScriptedLog, history: CrashingHistory, points: CrashPoints): Promise<void> {
  history.points = points;
  for (let starts = 0; starts < 10; starts++) {
    const ledger = new CrashingLedger(at, points);
    try {
      const crashingLog = {
        topics: () => {
          points.pass();
          return log.topics();
        },
        fetch: (position: Parameters<ScriptedLog["fetch"]>[0]) => {
          points.pass();
          return log.fetch(position);
        },
      };
      const follower = new Follower({
        log: crashingLog,
        history,
        ledger,
        clock: { now: () => START + 200_000 },
        report,
        topics,
      });
      while ((await follower.step()) > 0) {
        // One batch after the other.
      }
      return;
    } catch (error) {
      if (!(error instanceof Crash)) {
        throw error;
      }
    } finally {
      ledger.close();
    }
  }
  throw new Error("the follower never came to the end");
}

async function run(name: string, crashAt: number): Promise<{ history: CrashingHistory; crashed: boolean }> {
  const log = new ScriptedLog(topics, 2);
  const history = new CrashingHistory();
  const points = new CrashPoints(crashAt);
  firstEvents(log);
  await drain(join(folder, name), log, history, points);
  secondEvents(log);
  await drain(join(folder, name), log, history, points);
  return { history, crashed: points.reached };
}

describe("a follower that crashes", () => {
  it("leaves history as if it had not, wherever the crash came", async () => {
    const { history: undisturbed } = await run("undisturbed", Number.POSITIVE_INFINITY);
    const expected = undisturbed.sums();
    expect(expected["content_metrics"]).toEqual({ views: 2, watch_time_s: 100, likes: 1, shares: 0, completions: 1 });
    expect(expected["subscriber_metrics"]).toMatchObject({ gained: 1, lost: 0 });
    let crashes = 0;
    for (let crashAt = 0; ; crashAt++) {
      const { history, crashed } = await run(`crash-${crashAt}`, crashAt);
      expect(history.sums(), `crashed at point ${crashAt}`).toEqual(expected);
      if (!crashed) {
        break;
      }
      crashes++;
    }
    // Two batches, each with reads, and with pin, inserts, settle and progress before and after.
    expect(crashes).toBeGreaterThan(30);
  });
});
