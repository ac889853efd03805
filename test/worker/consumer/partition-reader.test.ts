import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { supervisor } from "../../../src/consumer/admin.ts";
import type { DeadLetter } from "../../../src/consumer/ports.ts";
import { ReaderRecords } from "../../../src/consumer/workerd/reader-records.ts";
import { SqliteReaderStorage } from "../../../src/consumer/workerd/sqlite-storage.ts";
import {
  ADMIN_TOKEN,
  ask,
  ENGAGEMENT,
  hub,
  produce,
  published,
  reader,
  started,
  until,
  watchList,
} from "./reader-client.ts";

const creators = ["crt_plain", "crt_crash", "crt_letters", "crt_revive"];

beforeAll(async () => {
  await watchList().watch(creators);
  await supervisor(env).round();
});

const minute = () => Math.floor(Date.now() / 60_000);

const subscribed = (eventId: string) => ({
  eventId,
  creatorId: "crt_rare",
  change: "subscribed",
  occurredAt: new Date().toISOString(),
});

/** Ends a reader as if its alarm had been lost. A reset object answers again after a moment, to a new stub. */
async function silence(source: string): Promise<void> {
  await env.PARTITION_READER.getByName(source)
    .restart()
    .catch(() => undefined);
  await until("an object without alarm", () =>
    runInDurableObject(env.PARTITION_READER.getByName(source), (_instance, state) => state.storage.deleteAlarm()).then(
      () => true,
      () => undefined,
    ),
  );
}

/** Readers never rest: the file ends when their alarms are gone. */
afterAll(async () => {
  for (const source of await supervisor(env).sources()) {
    await silence(source);
  }
});

describe("the supervisor", () => {
  test("starts a reader for every partition of every topic, and tells the watch list which engagement to expect", async () => {
    expect(await supervisor(env).round()).toMatchObject({ started: 11, failed: 0, bridgeFailure: null });
    const { expected } = await watchList().seen();
    expect(expected).toEqual(Array.from({ length: 8 }, (_, partition) => `${ENGAGEMENT}:${partition}`));
  });

  test("takes a partition for gone only when two answers in a row do not name it", async () => {
    const gone = `${ENGAGEMENT}:99`;
    await runInDurableObject(supervisor(env), (_instance, state) => {
      // As if it had been seen before.
      state.storage.sql.exec("INSERT INTO known SELECT ?, 0, max(is_there) FROM known", gone);
    });
    await supervisor(env).round();
    expect(await supervisor(env).sources()).toContain(gone);
    await supervisor(env).round();
    expect(await supervisor(env).sources()).not.toContain(gone);
    await silence(gone);
  });

  test("has every reader log how it fares, once a minute at most", async () => {
    const source = `${ENGAGEMENT}:6`;
    await silence(source);
    const firstMinute = minute();
    const logged = vi.spyOn(console, "log");
    await supervisor(env).round();
    await supervisor(env).round();
    await supervisor(env).round();
    const lines = logged.mock.calls
      .map(([line]): Record<string, unknown> => JSON.parse(String(line)))
      .filter((line) => line["event"] === "reader status" && line["source"] === source);
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(lines.length).toBeLessThanOrEqual(1 + minute() - firstMinute);
    expect(lines[0]).toMatchObject({ level: "info", service: "consumer", deadLetters: 0 });
    expect(lines[0]).toHaveProperty("lagSeconds");
  });

  test("revives a reader whose alarm is gone", async () => {
    await silence(`${ENGAGEMENT}:3`);
    await produce(ENGAGEMENT, 3, started("crt_revive"));
    await supervisor(env).round();
    const { totals } = await published("crt_revive", "a publication", ({ totals: { views } }) => views === 1);
    expect(totals.liveViewers).toBe(1);
  });
});

describe("a reader", () => {
  test("publishes the whole state to the hub of a watched creator, and nothing to another's", async () => {
    await produce(
      ENGAGEMENT,
      0,
      started("crt_plain"),
      started("crt_plain", { contentId: "cnt_2", type: "like.added" }),
      started("crt_unwatched"),
    );
    const publish = await published("crt_plain", "the totals", ({ totals }) => totals.likes === 1);
    expect(publish.totals).toEqual({
      liveViewers: 1,
      views: 1,
      likes: 1,
      shares: 0,
      completions: 0,
      watchSeconds: 0,
      items: 2,
    });
    expect((await hub("crt_unwatched").seen()).published).toEqual([]);
  });

  test("reports where it stands and how it fares", async () => {
    const report = await until("a report that all is well", async () => {
      const found = (await watchList().seen()).reports[`${ENGAGEMENT}:0`];
      return found?.health.state === "ok" ? found : undefined;
    });
    expect(report).toMatchObject({ partitions: 8, health: { reason: null } });
  });

  test("counts exactly though it crashes again and again while events flow", async () => {
    const all = Array.from({ length: 120 }, () => started("crt_crash"));
    for (let at = 0; at < all.length; at += 12) {
      await produce(ENGAGEMENT, 1, ...all.slice(at, at + 12));
      if (at % 48 === 0) {
        await published("crt_crash", "progress", ({ totals }) => totals.views > 0);
      }
      await reader(1)
        .restart()
        .catch(() => undefined);
    }
    const { totals } = await published("crt_crash", "every view", ({ totals: { views } }) => views >= all.length);
    expect(totals.views).toBe(all.length);
  });

  test("gives rare events to hubs that nobody watches, once each, in order", async () => {
    const topic = "engagement.subscription.changed";
    await produce(topic, 0, subscribed("r1"), subscribed("r2"));
    await until("both events", async () => {
      const { rare } = await hub("crt_rare").seen();
      return rare.flatMap(({ events }) => events).length === 2 ? rare : undefined;
    });
    const stored = await runInDurableObject(reader(0, topic), (_instance, state) =>
      state.storage.sql.exec("SELECT next_offset FROM checkpoint ORDER BY generation DESC LIMIT 1").one(),
    );
    expect(stored).toEqual({ next_offset: 2 });
  });
});

describe("the admin routes", () => {
  test("are closed without their token", async () => {
    for (const token of ["", "wrong", `${ADMIN_TOKEN}x`]) {
      expect((await ask("/admin/status", { token })).status).toBe(401);
      expect((await ask("/admin/dead-letters/replay", { token, body: {} })).status).toBe(401);
    }
    expect((await ask("/healthz", { token: "" })).status).toBe(200);
  });

  test("show how every reader fares", async () => {
    const status = await (await ask("/admin/status")).json<{ readers: { source: string; status: object }[] }>();
    expect(status.readers).toHaveLength(11);
    expect(status.readers.find(({ source }) => source === `${ENGAGEMENT}:0`)?.status).toMatchObject({
      health: { state: "ok" },
      fold: { rejected: 0, sharesGivenUp: 0 },
      overlap: null,
    });
  });

  test("reset a reader, which counts what its hubs had already as overlap", async () => {
    const source = "payment.processed:0";
    const paid = { creatorId: "crt_overlap", kind: "ad", amountMinor: "1", currency: "NGN" };
    const occurredAt = new Date().toISOString();
    const payments = ["p1", "p2"].map((id) => ({ ...paid, eventId: id, paymentId: id, occurredAt }));
    await produce("payment.processed", 0, ...payments);
    const taken = (offset: number, overlap: number) =>
      until(`${overlap} records that the hub had`, async () => {
        const { readers } = await (
          await ask("/admin/status")
        ).json<{ readers: { source: string; status: { offset: number | null; overlap: number | null } }[] }>();
        const status = readers.find((each) => each.source === source)?.status;
        return status?.offset === offset && status.overlap === overlap ? status : undefined;
      });
    await taken(2, 0);
    expect((await ask("/admin/readers/reset", { body: { source } })).status).toBe(200);
    await taken(2, 2);
  });

  test("name a parameter that is wrong", async () => {
    const response = await ask("/admin/dead-letters?source=nonsense");
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("source");
  });

  test("list dead letters, and produce them again with the ids they had", async () => {
    const source = `${ENGAGEMENT}:2`;
    await produce(ENGAGEMENT, 2, "garbage", started("crt_letters"));
    const listed = await until("the dead letter", async () => {
      const answer = await ask(`/admin/dead-letters?source=${source}`);
      const { items } = await answer.json<{ items: { id: number; offset: number; reason: string; value: string }[] }>();
      return items.length > 0 ? items : undefined;
    });
    expect(listed).toMatchObject([{ offset: 0, reason: "not_json", value: "garbage" }]);

    const replay = async () => (await ask("/admin/dead-letters/replay", { body: { source } })).json();
    expect(await replay()).toEqual({ source, replayed: 1, cut: [] });
    expect(await replay()).toEqual({ source, replayed: 0, cut: [] });
    const again = await until("the record again", async () => {
      const { status } = await reader(2).report();
      return status.fold?.rejected === 2 ? status : undefined;
    });
    expect(again.offset).toBe(3);
  });
});

test("a checkpoint of several slices is stored and found whole, with the one before, and older ones are gone", async () => {
  const slices = [0, 1, 2].map((byte) => new Uint8Array(1_048_576).fill(byte));
  const stored = await runInDurableObject(reader(7), async (_instance, state) => {
    const storage = new SqliteReaderStorage(state.storage, { now: () => 0 });
    const save = (offset: number) =>
      storage.commit({
        checkpoint: { position: { topicId: "t", epoch: 9_999_999_999_999, offset }, slices },
        deadLetters: [],
        unkept: [],
        park: [],
        gap: null,
      });
    await save(1);
    await save(2);
    await save(3);
    return storage.start();
  });
  expect(stored.checkpoints.map(({ position }) => position.offset)).toEqual([3, 2]);
  expect(stored.checkpoints[0]?.slices.map((slice) => [slice.length, slice[0]])).toEqual([
    [1_048_576, 0],
    [1_048_576, 1],
    [1_048_576, 2],
  ]);
});

test("dead letters and their counts are limited by the hour they were set aside in, and dropped after two weeks", async () => {
  let now = Date.UTC(2026, 10, 22, 20);
  const letter = (offset: number): DeadLetter => ({
    topicId: "t",
    offset,
    timestamp: now + offset * 3_600_000,
    reason: "not_json",
    detail: "value is not JSON",
    key: "",
    value: "garbage",
    truncated: false,
  });
  const [full, later] = await runInDurableObject(reader(99), async (_instance, state) => {
    const storage = new SqliteReaderStorage(state.storage, { now: () => now });
    const records = new ReaderRecords(state.storage);
    const setAside = async (from: number, count: number) => {
      const checkpoint = { position: { topicId: "t", epoch: 1, offset: from + count }, slices: [] };
      const deadLetters = Array.from({ length: count }, (_, i) => letter(from + i));
      await storage.commit({ checkpoint, deadLetters, unkept: [], park: [], gap: null });
      return { counts: records.deadLetterCounts(), oldest: records.deadLetters(0, 1)[0]?.offset };
    };
    const before = await setAside(0, 1_001);
    now += 15 * 24 * 3_600_000;
    return [before, await setAside(2_000, 200)];
  });
  expect(full).toEqual({ counts: { not_json: { kept: 1_000, unkept: 1 } }, oldest: 0 });
  expect(later).toEqual({ counts: { not_json: { kept: 200, unkept: 0 } }, oldest: 2_000 });
});

test("of more dead letters than an object has room for, the oldest are dropped", async () => {
  const now = Date.UTC(2026, 10, 22, 20);
  const letter = (offset: number): DeadLetter => ({
    topicId: "t",
    offset,
    timestamp: now,
    reason: "not_json",
    detail: "value is not JSON",
    key: "",
    value: "garbage",
    truncated: false,
  });
  const kept = await runInDurableObject(reader(98), async (_instance, state) => {
    const storage = new SqliteReaderStorage(state.storage, { now: () => now });
    const setAside = (...offsets: number[]) => {
      const checkpoint = { position: { topicId: "t", epoch: 1, offset: Math.max(...offsets) + 1 }, slices: [] };
      return storage.commit({ checkpoint, deadLetters: offsets.map(letter), unkept: [], park: [], gap: null });
    };
    await setAside(1, 2, 3);
    // As if as many had come meanwhile as are kept.
    state.storage.sql.exec("UPDATE dead_letter SET id = 50_001 WHERE record_offset = 3");
    await setAside(4);
    return new ReaderRecords(state.storage).deadLetters(0, 10).map(({ offset }) => offset);
  });
  expect(kept).toEqual([3, 4]);
});
