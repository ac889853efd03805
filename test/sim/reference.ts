// An independent count over one partition's records, written from the design's words alone and simple rather than fast.
// It imports nothing: whatever it shared with the product would be wrong in both.

/** A record of the partition. */
export interface ReferenceRecord {
  timestamp: number;
  value: string;
}

/** What is true of one item. */
export interface ReferenceItem {
  views: number;
  likes: number;
  shares: number;
  completions: number;
  watchSeconds: number;
  peakViewers: number;
  liveViewers: number;
}

/** What is true of a finished stream; instants in ms. */
export interface ReferenceStream {
  startedAt: number;
  endedAt: number;
  peakViewers: number;
  averageViewers: number;
  uniqueSessions: number;
  watchSeconds: number;
  likes: number;
  shares: number;
}

interface OpenStream {
  startedAt: number;
  lastBeatAt: number;
  before: Pick<ReferenceItem, "watchSeconds" | "likes" | "shares">;
  sessions: Set<string>;
  /** The most viewers of each minute since the epoch. */
  minutes: Map<number, number>;
}

interface Item extends Omit<ReferenceItem, "liveViewers"> {
  creatorId: string;
  contentId: string;
  lastActive: number;
}

interface Session {
  creatorId: string;
  contentId: string;
  /** By the session's own clock: the order of its beats. */
  newest: number;
  /** Never after log time: the start of its window. */
  beatAt: number;
  hasEnded: boolean;
}

const WINDOW = 45_000;
const REPEATS_KNOWN_FOR = 600_000;
const STREAM_QUIET = 120_000;
const MINUTE = 60_000;
const IDLE = 48 * 3_600_000;
const types = "view.started view.heartbeat view.ended view.completed like.added like.removed share.created".split(" ");

/** Counts records one after the other. */
export class Reference {
  #logTime = 0;
  readonly #items = new Map<string, Item>();
  readonly #sessions = new Map<string, Session>();
  readonly #seen = new Map<string, number>();
  readonly #streams = new Map<string, OpenStream>();
  readonly #lastStreams = new Map<string, ReferenceStream>();

  /** The running maximum of the records' timestamps. */
  get logTime(): number {
    return this.#logTime;
  }

  /** Takes the next record. */
  add({ timestamp, value }: ReferenceRecord): void {
    this.#passMinutes(Math.max(this.#logTime, timestamp));
    this.#logTime = Math.max(this.#logTime, timestamp);
    for (const [key, stream] of this.#streams) {
      if (this.#logTime - stream.lastBeatAt >= STREAM_QUIET) {
        this.#lastStreams.set(key, this.#finished(key, stream));
        this.#streams.delete(key);
      }
    }
    for (const [key, item] of this.#items) {
      if (this.#logTime - item.lastActive >= IDLE) {
        this.#items.delete(key);
      }
    }
    const event = eventOf(value);
    if (!event) {
      return;
    }
    const { creatorId, contentId, type } = event;
    const occurredAt = Date.parse(event.occurredAt);
    const key = `${creatorId} ${event.sessionId}`;
    const session = this.#sessions.get(key);
    const isNewest = !session || occurredAt > session.newest;
    const isBeat = type === "view.heartbeat" || type === "view.ended";
    if (isBeat ? !isNewest : this.#logTime - (this.#seen.get(event.eventId) ?? -Infinity) < REPEATS_KNOWN_FOR) {
      return;
    }
    if (!isBeat) {
      this.#seen.set(event.eventId, this.#logTime);
    }
    const item = this.#itemOf(creatorId, contentId);
    const beatAt = Math.min(occurredAt, this.#logTime);
    const counts = (isBeat || type === "view.started") && isNewest;
    const hasEnded = type === "view.ended";
    if (counts && event.isLive === true && !hasEnded && this.#logTime - beatAt < STREAM_QUIET) {
      const stream = this.#streamOf(item);
      stream.lastBeatAt = this.#logTime;
      stream.sessions.add(key);
    }
    item.views += type === "view.started" ? 1 : 0;
    item.likes += type === "like.added" ? 1 : type === "like.removed" ? -1 : 0;
    item.shares += type === "share.created" ? 1 : 0;
    item.completions += type === "view.completed" ? 1 : 0;
    if (counts) {
      item.watchSeconds += Math.min(event.watchSeconds ?? 0, 60);
      const watchesOther = hasEnded && session && session.contentId !== contentId;
      const next = { creatorId, contentId, newest: occurredAt, beatAt, hasEnded };
      this.#sessions.set(key, watchesOther ? { ...session, newest: occurredAt } : next);
      item.peakViewers = Math.max(item.peakViewers, this.#watching(item, this.#logTime));
      this.#observe(item, this.#logTime);
    }
  }

  /** creatorId → contentId → numbers, with the viewers of the instant `now`. */
  countAt(now: number): Map<string, Map<string, ReferenceItem>> {
    const creators = new Map<string, Map<string, ReferenceItem>>();
    for (const item of this.#items.values()) {
      const { creatorId, contentId, views, likes, shares, completions, watchSeconds, peakViewers } = item;
      const liveViewers = this.#watching(item, now);
      const items = creators.get(creatorId) ?? new Map<string, ReferenceItem>();
      creators.set(creatorId, items);
      items.set(contentId, { views, likes, shares, completions, watchSeconds, peakViewers, liveViewers });
    }
    return creators;
  }

  /** An item's last stream that has ended by the instant `now`; undefined when there was none. */
  lastStreamAt(now: number, creatorId: string, contentId: string): ReferenceStream | undefined {
    const key = `${creatorId} ${contentId}`;
    const open = this.#streams.get(key);
    return open && now - open.lastBeatAt >= STREAM_QUIET ? this.#finished(key, open) : this.#lastStreams.get(key);
  }

  #streamOf(item: Item): OpenStream {
    const key = `${item.creatorId} ${item.contentId}`;
    const { watchSeconds, likes, shares } = item;
    const before = { watchSeconds, likes, shares };
    const startedAt = this.#logTime;
    const stream = this.#streams.get(key) ?? {
      startedAt,
      lastBeatAt: startedAt,
      before,
      sessions: new Set(),
      minutes: new Map(),
    };
    this.#streams.set(key, stream);
    this.#observe(item, this.#logTime);
    return stream;
  }

  #observe(item: { creatorId: string; contentId: string }, at: number): void {
    const minutes = this.#streams.get(`${item.creatorId} ${item.contentId}`)?.minutes;
    const minute = Math.floor(at / MINUTE);
    minutes?.set(minute, Math.max(minutes.get(minute) ?? 0, this.#watching(item, at)));
  }

  /** Who watches when a minute begins counts for it. */
  #passMinutes(to: number): void {
    for (const [key, stream] of this.#streams) {
      const [creatorId = "", contentId = ""] = key.split(" ");
      const end = Math.min(to, stream.lastBeatAt + STREAM_QUIET);
      for (let at = (Math.floor(this.#logTime / MINUTE) + 1) * MINUTE; at <= end; at += MINUTE) {
        this.#observe({ creatorId, contentId }, at);
      }
    }
  }

  #finished(key: string, { startedAt, lastBeatAt, before, sessions, minutes }: OpenStream): ReferenceStream {
    const now = this.#items.get(key) ?? before;
    const last = Math.floor(lastBeatAt / MINUTE);
    const counted = [...minutes].filter(([minute]) => minute <= last).map(([, viewers]) => viewers);
    const length = last - Math.floor(startedAt / MINUTE) + 1;
    return {
      startedAt,
      endedAt: lastBeatAt,
      peakViewers: Math.max(0, ...counted),
      averageViewers: Math.round(counted.reduce((sum, viewers) => sum + viewers, 0) / length),
      uniqueSessions: sessions.size,
      watchSeconds: now.watchSeconds - before.watchSeconds,
      likes: now.likes - before.likes,
      shares: now.shares - before.shares,
    };
  }

  #itemOf(creatorId: string, contentId: string): Item {
    const key = `${creatorId} ${contentId}`;
    const nothing = { views: 0, likes: 0, shares: 0, completions: 0, watchSeconds: 0, peakViewers: 0 };
    const item = this.#items.get(key) ?? { creatorId, contentId, lastActive: 0, ...nothing };
    item.lastActive = this.#logTime;
    this.#items.set(key, item);
    return item;
  }

  #watching(item: { creatorId: string; contentId: string }, now: number): number {
    let count = 0;
    for (const session of this.#sessions.values()) {
      const watches = session.creatorId === item.creatorId && session.contentId === item.contentId;
      count += watches && !session.hasEnded && session.beatAt > now - WINDOW && session.beatAt <= now ? 1 : 0;
    }
    return count;
  }
}

function eventOf(value: string) {
  try {
    const event = JSON.parse(value);
    const ids = [event.eventId, event.sessionId, event.contentId, event.creatorId];
    const fits = types.includes(event.type) && ids.every((id) => typeof id === "string" && id.length > 0);
    return fits && Date.parse(event.occurredAt) >= 0 ? event : null;
  } catch {
    return null;
  }
}
