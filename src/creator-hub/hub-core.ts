// What a hub does, apart from the Durable Object: it merges what sources publish, tells sockets what changed, keeps
// what must be kept, and holds a lease while somebody watches. Everything outside it is a port.
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { closeCodes, type Alert, type StreamSummary } from "../contract/live-frames.ts";
import {
  LIVE_RPC_VERSION,
  type Ack,
  type LastStreamQuery,
  type PayoutSettingsChanged,
  type Publish,
  type PublishReply,
  type RareBatch,
  type RareReply,
  type SourcesState,
  type StreamShare,
} from "../contract/live-rpc.ts";
import type { ContentId, CreatorId } from "../contract/ids.ts";
import { Audience, type HubSocket, type SocketInfo } from "./audience.ts";
import { instant, instantOrNull } from "./frames.ts";
import type { HubStorage } from "./hub-storage.ts";
import { LeaseKeeper, type WatchListPort } from "./lease-keeper.ts";
import { LiveFeed, type Timers } from "./live-feed.ts";
import { LiveNumbers } from "./live-numbers.ts";
import { applyRareBatch } from "./rare-events.ts";
import { readReceipt } from "./receipt.ts";
import { lastStreamShares, summariseStream } from "./stream-summary.ts";

/** Live totals are stored after so much quiet, and at least this often while they change: writes cost money. */
const QUIET_BEFORE_SAVE_MS = 5_000;
const MAX_UNSAVED_MS = 30_000;
/** Alerts in a snapshot; with `since` up to the second number of those after it (both ours). */
const SNAPSHOT_ALERTS = 50;
const REPLAYED_ALERTS = 200;

/** Everything outside a hub. */
export interface HubPorts {
  clock: Clock;
  storage: HubStorage;
  watchList: WatchListPort;
  /** One durable timer: setting it replaces the earlier one. Fires `alarm`. */
  alarm: { set(atMs: number): void };
  timers: Timers;
  log: Log;
}

const acknowledged: Ack = { v: LIVE_RPC_VERSION };

/** One creator's hub. */
export class HubCore {
  readonly #creatorId: CreatorId;
  readonly #maxSockets: number;
  readonly #ports: HubPorts;
  readonly #audience = new Audience();
  readonly #numbers: LiveNumbers;
  readonly #lease: LeaseKeeper;
  readonly #feed: LiveFeed;
  /** Of the present lease; null while nobody watches. */
  #incarnation: string | null = null;
  #unsaved: { since: number; changedAt: number } | null = null;
  #alarmAt = Infinity;

  /**
   * @param sockets those that have outlived the last instance of this hub
   * @param maxSockets the most sockets at a time
   */
  constructor(creatorId: CreatorId, sockets: readonly HubSocket[], maxSockets: number, ports: HubPorts) {
    this.#creatorId = creatorId;
    this.#maxSockets = maxSockets;
    this.#ports = ports;
    const { clock, storage, watchList, log, timers } = ports;
    this.#numbers = new LiveNumbers(storage.loadLive());
    this.#lease = new LeaseKeeper(
      creatorId,
      watchList,
      clock,
      log,
      () => ({ sources: this.#numbers.sources(), revision: this.#numbers.revision }),
      (word) => this.#hear(word),
    );
    const sources = {
      numbers: this.#numbers,
      trust: (nowMs: number) => this.#numbers.trust(nowMs, this.#lease.isOutOfTouch()),
      standing: () => {
        const { count, asOf } = storage.subscribers();
        return { subscribers: { count, asOf }, revenue: storage.revenue() };
      },
      alerts: (since: string | null) => this.#alerts(since),
    };
    this.#feed = new LiveFeed(this.#audience, sources, clock, timers);
    for (const socket of sockets) {
      this.#audience.add(socket, clock.now());
    }
    if (this.#audience.size > 0) {
      this.#beginWatching();
      this.#arm();
    }
  }

  /** True when there is room for one more socket. */
  hasRoom(): boolean {
    return this.#audience.size < this.#maxSockets;
  }

  /** The identity of a new socket. `tokenExpiresAt` in ms since the Unix epoch. */
  describeSocket(tokenExpiresAt: number): SocketInfo {
    return { connectionId: this.#audience.nextConnectionId(), tokenExpiresAt, connectedAt: this.#ports.clock.now() };
  }

  /**
   * Greets a new socket: `welcome`, then at once a `snapshot`.
   * @param since the last alert that the client has seen; null for the newest alerts
   */
  connect(socket: HubSocket, since: string | null): void {
    if (this.#incarnation === null) {
      this.#beginWatching();
    }
    this.#audience.add(socket, this.#ports.clock.now());
    this.#feed.greet(socket.info.connectionId, since);
    this.#arm();
  }

  /** Forgets a socket that has closed; after the last one the lease is given back. */
  disconnected(connectionId: string): void {
    this.#audience.remove(connectionId);
    this.#endWatchingIfAlone();
  }

  /** What a client sends: receipts, and `ping` when the runtime did not answer it by itself. */
  receive(socket: HubSocket, message: string | ArrayBuffer): void {
    const { connectionId } = socket.info;
    if (message === "ping") {
      socket.send("pong");
      return;
    }
    const receipt = readReceipt(message);
    if (receipt === null) {
      socket.close(closeCodes.badMessage, "only ping and receipts are understood");
      this.disconnected(connectionId);
    } else {
      this.#audience.receipt(connectionId, receipt.characters);
    }
  }

  /** Takes the whole state of one source. Repeated, late and reordered calls do no harm. */
  publish(call: Publish): PublishReply {
    this.#requireOwn(call.creatorId);
    const now = this.#ports.clock.now();
    const result = this.#numbers.publish(call, now);
    if (result.outcome === "accepted") {
      this.#unsaved = { since: this.#unsaved?.since ?? now, changedAt: now };
    }
    this.#feed.changed();
    this.#arm();
    return { v: LIVE_RPC_VERSION, ...result, intervalMs: this.#feed.intervalMs };
  }

  /** Takes rare events: stored and counted exactly once, then announced. */
  applyRare(batch: RareBatch): RareReply {
    this.#requireOwn(batch.creatorId);
    this.#feed.payOwed();
    const { reply, announcements } = applyRareBatch(this.#ports.storage, batch, this.#ports.clock.now());
    if (reply.applied > 0) {
      this.#feed.outdateSnapshot();
      this.#feed.announce(announcements);
    }
    return reply;
  }

  /** Takes one source's share of a finished stream, watched or not. */
  recordStreamShare(share: StreamShare): Ack {
    this.#requireOwn(share.creatorId);
    const { contentId } = share;
    const before = this.#summary(contentId);
    if (this.#ports.storage.saveShare(share)) {
      this.#forgetEarlierStreams(contentId);
      const summary = this.#summary(contentId);
      if (summary !== null && JSON.stringify(summary) !== JSON.stringify(before)) {
        this.#feed.payOwed();
        this.#feed.announce([{ type: "stream.ended", contentId, summary }]);
      }
    }
    return acknowledged;
  }

  /** Only the last finished stream is asked for. */
  #forgetEarlierStreams(contentId: ContentId): void {
    const { storage } = this.#ports;
    const starts = lastStreamShares(storage.newestShares(contentId)).map(({ startedAt }) => startedAt);
    storage.forgetSharesBefore(contentId, Math.min(...starts));
  }

  /** The summary of an item's last finished stream; null when there was none. */
  lastStream({ contentId }: LastStreamQuery): StreamSummary | null {
    return this.#summary(contentId);
  }

  /** Takes the watch list's word on the sources. */
  sourcesChanged(word: SourcesState): Ack {
    this.#requireOwn(word.creatorId);
    this.#hear(word);
    return acknowledged;
  }

  /** Tells every open dashboard that the payout settings are others now. */
  payoutSettingsChanged({ creatorId, changedAt, lockedUntil }: PayoutSettingsChanged): Ack {
    this.#requireOwn(creatorId);
    this.#feed.payOwed();
    this.#feed.announce([
      { type: "payout-settings.changed", changedAt: instant(changedAt), lockedUntil: instantOrNull(lockedUntil) },
    ]);
    return acknowledged;
  }

  /** The durable timer fired: does whatever is due, and sets it again. */
  alarm(): void {
    this.#alarmAt = Infinity;
    const now = this.#ports.clock.now();
    this.#audience.dismiss(now);
    this.#endWatchingIfAlone();
    this.#lease.renewIfDue();
    this.#feed.changed();
    if (this.#saveDueAt() <= now) {
      const { changed, removed, known } = this.#numbers.takeChanges();
      this.#ports.storage.saveLive(changed, removed, known);
      this.#unsaved = null;
    }
    this.#arm();
  }

  #hear(word: SourcesState | null): void {
    if (word?.hubIncarnation === this.#incarnation && this.#numbers.tellsOfLapse(word)) {
      // Some sources may have answered the lease that began again before this word came: only what answers a new
      // incarnation tells those that have nothing more to say from those that have said it already.
      this.#beginWatching();
    } else if (word !== null && word.hubIncarnation === this.#incarnation) {
      const now = this.#ports.clock.now();
      this.#numbers.hear(word, now);
      if (this.#numbers.hasChanges()) {
        this.#unsaved ??= { since: now, changedAt: now };
      }
    }
    this.#feed.changed();
    this.#arm();
  }

  #beginWatching(): void {
    this.#incarnation = this.#ports.storage.nextIncarnation(this.#ports.clock.now());
    this.#numbers.beginIncarnation();
    this.#feed.beginEpoch(this.#incarnation);
    this.#lease.begin(this.#incarnation);
  }

  #endWatchingIfAlone(): void {
    if (this.#audience.size === 0 && this.#incarnation !== null) {
      this.#incarnation = null;
      this.#lease.end();
    }
  }

  #alerts(since: string | null): Alert[] {
    const number = since === null ? undefined : /^a_(\d{1,15})$/.exec(since)?.[1];
    return number === undefined
      ? this.#ports.storage.alertsAfter(0, SNAPSHOT_ALERTS)
      : this.#ports.storage.alertsAfter(Number(number), REPLAYED_ALERTS);
  }

  #summary(contentId: ContentId): StreamSummary | null {
    const { storage } = this.#ports;
    const shares = lastStreamShares(storage.newestShares(contentId));
    return shares.length === 0 ? null : summariseStream(shares, (from, to) => storage.subscribedBetween(from, to));
  }

  #saveDueAt(): number {
    return this.#unsaved === null
      ? Infinity
      : Math.min(this.#unsaved.changedAt + QUIET_BEFORE_SAVE_MS, this.#unsaved.since + MAX_UNSAVED_MS);
  }

  /** Sets the alarm if something is due before it. It may fire early: whoever is not due then waits for the next. */
  #arm(): void {
    const dueAt = Math.min(
      this.#audience.nextDueAt(),
      this.#lease.nextDueAt(),
      this.#numbers.nextDueAt(this.#ports.clock.now()),
      this.#feed.nextDueAt(),
      this.#saveDueAt(),
    );
    if (dueAt < this.#alarmAt) {
      this.#alarmAt = dueAt;
      this.#ports.alarm.set(dueAt);
    }
  }

  #requireOwn(creatorId: CreatorId): void {
    if (creatorId !== this.#creatorId) {
      throw new RangeError("this call is for another creator's hub");
    }
  }
}
