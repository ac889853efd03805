// What a hub keeps in its SQLite. Every statement about a hub is here; what comes out is parsed like anything foreign,
// since an older deployment may have written it.
import { z } from "zod";
import { alertSchema, type Alert } from "../contract/live-frames.ts";
import { publishSchema, streamShareSchema, type StreamShare } from "../contract/live-rpc.ts";
import { creatorIdSchema, type ContentId, type CreatorId, type Source } from "../contract/ids.ts";
import type { Contribution } from "./contributions.ts";
import { migrate, type SqlDatabase } from "./sql-database.ts";

/** How long applied events are known by their ids: well beyond the retention of any topic that is replayed. */
const EVENT_MEMORY_MS = 90 * 24 * 3_600_000;
/** Alerts kept per creator: years of decisions for almost everyone (ours). */
const KEPT_ALERTS = 1_000;
/** How often old event ids are looked for: the search reads the whole table. */
const PRUNE_INTERVAL_MS = 24 * 3_600_000;
/** A stream that is still open may have begun so long ago: three times the 48 hours that a share tells of (ours). */
const LONGEST_STREAM_MS = 144 * 3_600_000;
const MINUTE_MS = 60_000;

/** Append-only: an applied statement is never edited. */
const migrations = [
  "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
  "CREATE TABLE contributions (source TEXT PRIMARY KEY, contribution TEXT NOT NULL)",
  "CREATE TABLE rare_watermarks (source TEXT PRIMARY KEY, epoch INTEGER NOT NULL, watermark INTEGER NOT NULL)",
  "CREATE TABLE rare_events (event_key TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE alerts (number INTEGER PRIMARY KEY AUTOINCREMENT, alert TEXT NOT NULL)",
  "CREATE TABLE subscribed_per_minute (minute INTEGER PRIMARY KEY, gained INTEGER NOT NULL)",
  `CREATE TABLE stream_shares (content_id TEXT NOT NULL, started_at INTEGER NOT NULL, source TEXT NOT NULL,
    share TEXT NOT NULL, PRIMARY KEY (content_id, started_at, source))`,
];

const contributionSchema = publishSchema.omit({ v: true, creatorId: true });
const watermarkSchema = z.object({ epoch: z.number(), watermark: z.number() });
const subscribersSchema = z.object({
  count: z.number().nullable(),
  asOf: z.iso.datetime().nullable(),
  /** When the owner last counted; null where the count is only known from changes, or is as old as this field. */
  countedAt: z.iso.datetime().nullable().default(null),
});
const revenueSchema = z.object({ version: z.number(), lastPaymentAt: z.iso.datetime().nullable() });

/** The subscriber count as far as it is known. */
export type Subscribers = z.infer<typeof subscribersSchema>;
/** How often money has moved, and when last. */
export type RevenueVersion = z.infer<typeof revenueSchema>;

/** One hub's storage. Synchronous: what is written without an `await` between is one transaction. */
export class HubStorage {
  readonly #database: SqlDatabase;

  /** Brings the schema up to date. */
  constructor(database: SqlDatabase) {
    this.#database = database;
    migrate(database, migrations);
  }

  /** Runs the work as one transaction: a throw undoes it. */
  transaction<T>(work: () => T): T {
    return this.#database.transaction(work);
  }

  /** The creator that this hub was first called for; null before. */
  owner(): CreatorId | null {
    return this.#fact("owner", creatorIdSchema.nullable(), null);
  }

  /** Remembers whose hub this is. */
  saveOwner(creatorId: CreatorId): void {
    if (this.owner() !== creatorId) {
      this.#setFact("owner", creatorId);
    }
  }

  /**
   * The next incarnation of this hub. Rises with every call, and even if storage was wiped, unless the clock was set
   * back meanwhile. `h_` and base 36, so that a later one is longer, or the same length and greater as text.
   */
  nextIncarnation(nowMs: number): string {
    const number = Math.max(this.#fact("incarnation", z.number(), 0) + 1, nowMs);
    this.#setFact("incarnation", number);
    return `h_${number.toString(36)}`;
  }

  /** The last known live state. `known` is true when all sources had once been heard. */
  loadLive(): { contributions: Contribution[]; known: boolean } {
    const rows = this.#database.all("SELECT contribution FROM contributions ORDER BY source");
    const contributions = rows.flatMap((row) => parsed(contributionSchema, row["contribution"]));
    return { contributions, known: this.#fact("known", z.boolean(), false) };
  }

  /** Replaces what has changed of the live state. */
  saveLive(changed: readonly Contribution[], removed: readonly Source[], known: boolean): void {
    this.transaction(() => {
      for (const contribution of changed) {
        this.#database.all(
          "INSERT INTO contributions (source, contribution) VALUES (?, ?) ON CONFLICT DO UPDATE SET contribution = excluded.contribution",
          contribution.source,
          JSON.stringify(contribution),
        );
      }
      for (const source of removed) {
        this.#database.all("DELETE FROM contributions WHERE source = ?", source);
      }
      if (this.#fact("known", z.boolean(), false) !== known) {
        this.#setFact("known", known);
      }
    });
  }

  /** The offset after the last rare event taken from a source, in its newest epoch; zeros before the first. */
  watermark(source: Source): { epoch: number; watermark: number } {
    const [row] = this.#database.all("SELECT epoch, watermark FROM rare_watermarks WHERE source = ?", source);
    return row === undefined ? { epoch: 0, watermark: 0 } : watermarkSchema.parse(row);
  }

  /** Moves a source's watermark. */
  setWatermark(source: Source, epoch: number, watermark: number): void {
    this.#database.all(
      "INSERT INTO rare_watermarks (source, epoch, watermark) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET epoch = excluded.epoch, watermark = excluded.watermark",
      source,
      epoch,
      watermark,
    );
  }

  /** Remembers an event; false when it was known already. */
  rememberEvent(eventKey: string, nowMs: number): boolean {
    const inserted = this.#database.all(
      "INSERT INTO rare_events (event_key, applied_at) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING event_key",
      eventKey,
      nowMs,
    );
    return inserted.length > 0;
  }

  /** Forgets events beyond the memory's length, and new subscribers of no stream that is kept, at most once a day. */
  forgetOldEvents(nowMs: number): void {
    if (nowMs - this.#fact("prunedAt", z.number(), 0) >= PRUNE_INTERVAL_MS) {
      this.#database.all("DELETE FROM rare_events WHERE applied_at < ?", nowMs - EVENT_MEMORY_MS);
      this.#database.all(
        "DELETE FROM subscribed_per_minute WHERE minute < MIN(?, COALESCE((SELECT MIN(started_at) FROM stream_shares), ?) / ?)",
        Math.floor((nowMs - LONGEST_STREAM_MS) / MINUTE_MS),
        nowMs,
        MINUTE_MS,
      );
      this.#setFact("prunedAt", nowMs);
    }
  }

  /** The subscriber count; null while unknown. */
  subscribers(): Subscribers {
    return this.#fact("subscribers", subscribersSchema, { count: null, asOf: null, countedAt: null });
  }

  /** Stores the subscriber count. */
  setSubscribers(subscribers: Subscribers): void {
    this.#setFact("subscribers", subscribers);
  }

  /** Counts one more subscriber in the minute of an instant. */
  addSubscribed(atMs: number): void {
    this.#database.all(
      "INSERT INTO subscribed_per_minute (minute, gained) VALUES (?, 1) ON CONFLICT DO UPDATE SET gained = gained + 1",
      Math.floor(atMs / MINUTE_MS),
    );
  }

  /** Subscribers gained in the minutes from one instant to another, both included. */
  subscribedBetween(fromMs: number, toMs: number): number {
    const [row] = this.#database.all(
      "SELECT COALESCE(SUM(gained), 0) AS gained FROM subscribed_per_minute WHERE minute BETWEEN ? AND ?",
      Math.floor(fromMs / MINUTE_MS),
      Math.floor(toMs / MINUTE_MS),
    );
    return z.object({ gained: z.number() }).parse(row).gained;
  }

  /** The revenue version; 0 before the first payment. */
  revenue(): RevenueVersion {
    return this.#fact("revenue", revenueSchema, { version: 0, lastPaymentAt: null });
  }

  /** Stores the revenue version. */
  setRevenue(revenue: RevenueVersion): void {
    this.#setFact("revenue", revenue);
  }

  /** Adds an alert and gives it its id, `a_` and a number that rises. */
  addAlert(alert: Omit<Alert, "alertId">): Alert {
    const [row] = this.#database.all("INSERT INTO alerts (alert) VALUES (?) RETURNING number", JSON.stringify(alert));
    const { number } = z.object({ number: z.number() }).parse(row);
    this.#database.all("DELETE FROM alerts WHERE number <= ?", number - KEPT_ALERTS);
    return { alertId: `a_${number}`, ...alert };
  }

  /** Alerts after the given number, oldest first; of more than `limit` the newest. */
  alertsAfter(number: number, limit: number): Alert[] {
    const rows = this.#database.all(
      "SELECT 'a_' || number AS id, alert FROM alerts WHERE number > ? ORDER BY number DESC LIMIT ?",
      number,
      limit,
    );
    const stored = alertSchema.omit({ alertId: true });
    return rows
      .flatMap((row) => parsed(stored, row["alert"]).map((alert) => ({ alertId: String(row["id"]), ...alert })))
      .toReversed();
  }

  /** Stores a source's share of a stream unless a newer one is stored; false when that says nothing new. */
  saveShare(share: StreamShare): boolean {
    const key = [share.contentId, share.startedAt, share.source];
    const [row] = this.#database.all(
      "SELECT share FROM stream_shares WHERE content_id = ? AND started_at = ? AND source = ?",
      ...key,
    );
    const [stored] = row === undefined ? [] : parsed(streamShareSchema, row["share"]);
    if (stored !== undefined && isOlder(share, stored)) {
      return false;
    }
    this.#database.all(
      "INSERT INTO stream_shares (content_id, started_at, source, share) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET share = excluded.share",
      ...key,
      JSON.stringify(share),
    );
    return stored === undefined || numbersOf(share) !== numbersOf(stored);
  }

  /** Forgets the shares of an item's streams that began before an instant in ms. */
  forgetSharesBefore(contentId: ContentId, startedAt: number): void {
    this.#database.all("DELETE FROM stream_shares WHERE content_id = ? AND started_at < ?", contentId, startedAt);
  }

  /** The newest shares of an item, at most 500: as many partitions with a few streams each. */
  newestShares(contentId: ContentId): StreamShare[] {
    const rows = this.#database.all(
      "SELECT share FROM stream_shares WHERE content_id = ? ORDER BY started_at DESC LIMIT 500",
      contentId,
    );
    return rows.flatMap((row) => parsed(streamShareSchema, row["share"]));
  }

  #fact<T>(name: string, schema: z.ZodType<T>, absent: T): T {
    const [row] = this.#database.all("SELECT value FROM facts WHERE name = ?", name);
    return row === undefined ? absent : (parsed(schema, row["value"])[0] ?? absent);
  }

  #setFact(name: string, value: unknown): void {
    this.#database.all(
      "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      name,
      JSON.stringify(value),
    );
  }
}

/** What a share says of its stream, to be compared. */
function numbersOf({ recordsCounted: _, ...numbers }: StreamShare): string {
  return JSON.stringify(numbers);
}

/** A call that was overtaken. A source that does not count its records yet tells it by the end: streams only grow. */
function isOlder(share: StreamShare, stored: StreamShare): boolean {
  if (share.epoch !== stored.epoch) {
    return share.epoch < stored.epoch;
  }
  if (share.recordsCounted === undefined || stored.recordsCounted === undefined) {
    return share.endedAt < stored.endedAt;
  }
  return share.recordsCounted < stored.recordsCounted;
}

/** One value, or none where the text is not what the schema wants: a broken row is as good as a missing one. */
function parsed<T>(schema: z.ZodType<T>, text: unknown): T[] {
  if (typeof text !== "string") {
    return [];
  }
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? [result.data] : [];
  } catch {
    return [];
  }
}
