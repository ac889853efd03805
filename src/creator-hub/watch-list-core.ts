// What the watch list does, apart from the Durable Object: leases in, changes out to readers, and to each hub the word
// whether all sources have served it and how they fare, whenever that changes. Everything outside it is a port.
import type { Clock } from "../runtime/clock.ts";
import { withDeadline } from "../runtime/deadline.ts";
import { describeError, type Log } from "../runtime/log.ts";
import type { Timers } from "../runtime/timers.ts";
import {
  LIVE_RPC_VERSION,
  type Ack,
  type ExpectedSources,
  type Lease,
  type ReaderReport,
  type SourcesState,
  type WatchChanges,
  type WatchListStatus,
} from "../contract/live-rpc.ts";
import type { CreatorId, Source } from "../contract/ids.ts";
import { SourceHealth } from "./source-health.ts";
import type { WatchListStorage } from "./watch-list-storage.ts";
import { Watchers, type Watcher } from "./watchers.ts";

/** How often sources are checked while somebody watches. */
const CHECK_INTERVAL_MS = 5_000;
/** A hub renews every 60 s: one that missed two in a row is lost. */
const LEASE_TERM_MS = 150_000;
/** A hub that has not acknowledged a word for so long is told again. */
const TELL_AGAIN_MS = 2_000;
/** How soon a hub is told again after a failed call. */
const RETRY_MS = 1_000;
/** A hub that has not answered for so long is called again, and its call holds up no other: as readers wait for hubs. */
const CALL_DEADLINE_MS = 5_000;
/** Calls to hubs in flight at a time, so that one outage does not flood the object. */
const MAX_CALLS = 32;

/** Everything outside the watch list. */
export interface WatchListPorts {
  clock: Clock;
  storage: WatchListStorage;
  hubs: { sourcesChanged(word: SourcesState): Promise<Ack> };
  timers: Timers;
  /** One durable timer: setting it replaces the earlier one. Fires `alarm`. */
  alarm: { set(atMs: number): void };
  log: Log;
}

/** What a hub was told of all that it may act on. */
interface Told {
  hubIncarnation: string;
  /** What the hub has acknowledged. */
  heard: string;
  /** What is on its way, since when. */
  telling: { gist: string; at: number } | null;
}

/** The watch list. */
export class WatchListCore {
  readonly #ports: WatchListPorts;
  readonly #watchers: Watchers;
  readonly #health: SourceHealth;
  readonly #told = new Map<CreatorId, Told>();
  readonly #incomplete = new Set<CreatorId>();
  readonly #waiting = new Set<CreatorId>();
  #callsInFlight = 0;
  #checkAt = Infinity;
  #alarmAt = Infinity;

  /** @param incarnation an id that no earlier instance had */
  constructor(incarnation: string, ports: WatchListPorts) {
    this.#ports = ports;
    const now = ports.clock.now();
    this.#watchers = new Watchers(incarnation);
    this.#health = new SourceHealth(ports.storage.expectedSources(), now);
    for (const lease of ports.storage.leases()) {
      this.#watchers.add({ ...lease, renewedAt: now });
      if (!lease.complete) {
        this.#incomplete.add(lease.creatorId);
      }
    }
    this.#arm(now);
  }

  /** Takes or renews a lease; the answer is the word on the sources. A late call of an earlier incarnation is void. */
  renew(lease: Lease): SourcesState {
    const now = this.#ports.clock.now();
    const { creatorId, hubIncarnation, sources, revision = 0 } = lease;
    const held = this.#watchers.get(creatorId);
    if (held !== undefined && isLater(held.hubIncarnation, hubIncarnation)) {
      return voidWord(creatorId, hubIncarnation);
    }
    const watcher =
      held?.hubIncarnation === hubIncarnation
        ? held
        : this.#watchers.add({ creatorId, hubIncarnation, renewedAt: now, sources, complete: false, revision });
    watcher.renewedAt = now;
    watcher.sources = sources;
    watcher.revision = Math.max(watcher.revision, revision);
    const word = this.#nextWord(watcher, now);
    this.#told.set(creatorId, { hubIncarnation, heard: this.#gistOf(word), telling: null });
    this.#arm(now);
    return word;
  }

  /** Gives a lease back. A late call of an earlier incarnation is void. */
  release({ creatorId, hubIncarnation }: Lease): Ack {
    if (this.#watchers.get(creatorId)?.hubIncarnation === hubIncarnation) {
      this.#forget(creatorId);
    }
    return { v: LIVE_RPC_VERSION };
  }

  /** A reader's poll: takes its position and health, answers with what changed since the version it has served. */
  report(report: ReaderReport): WatchChanges {
    const now = this.#ports.clock.now();
    const served = this.#watchers.servedNumber(report.served);
    const before = this.#health.troubleOf(report.source, now);
    const wasJudged = this.#health.isJudged(now);
    const hasServedMore = this.#health.report(report, served, now);
    if (this.#health.troubleOf(report.source, now) !== before || this.#health.isJudged(now) !== wasJudged) {
      this.#tellAllOfChanges(now);
    } else if (hasServedMore) {
      this.#tellServed(report.source, now);
    }
    // The timer may have been set by a clock that was set back since.
    this.#arm(now);
    return { v: LIVE_RPC_VERSION, ...this.#watchers.changesSince(served) };
  }

  /** The sources that there should be. */
  expect({ sources }: ExpectedSources): Ack {
    const ordered = [...new Set(sources)].toSorted();
    if (ordered.join() !== this.#health.expected.join()) {
      const now = this.#ports.clock.now();
      this.#ports.storage.saveExpectedSources(ordered);
      this.#health.expect(ordered, now);
      this.#tellAllOfChanges(now);
      this.#arm(now);
    }
    return { v: LIVE_RPC_VERSION };
  }

  /** The list as an administrator sees it. */
  status(): WatchListStatus {
    const now = this.#ports.clock.now();
    return {
      v: LIVE_RPC_VERSION,
      version: this.#watchers.version,
      watchers: this.#watchers.size,
      incomplete: this.#incomplete.size,
      stale: this.#watchers
        .all()
        .filter((watcher) => this.#health.stateFor(watcher, now).state === "stale")
        .toArray().length,
      sources: this.#health.describe(now),
    };
  }

  /** The durable timer fired: drops lapsed leases, and tells hubs what changed. */
  alarm(): void {
    this.#alarmAt = Infinity;
    this.#checkAt = Infinity;
    const now = this.#ports.clock.now();
    for (const watcher of this.#watchers.all()) {
      if (watcher.renewedAt + LEASE_TERM_MS <= now) {
        this.#ports.log.warn("lease_lapsed", { creatorId: watcher.creatorId });
        this.#forget(watcher.creatorId);
      }
    }
    this.#tellAllOfChanges(now);
    this.#arm(now);
  }

  #forget(creatorId: CreatorId): void {
    this.#watchers.remove(creatorId);
    this.#told.delete(creatorId);
    this.#incomplete.delete(creatorId);
    this.#waiting.delete(creatorId);
    this.#ports.storage.deleteLease(creatorId);
  }

  /** Whoever waited for this source alone is complete now. */
  #tellServed(source: Source, now: number): void {
    for (const creatorId of this.#incomplete) {
      const watcher = this.#watchers.get(creatorId);
      if (watcher !== undefined && this.#health.servedAt(source, watcher) !== null) {
        this.#tellOfChange(creatorId, now);
      }
    }
  }

  #tellAllOfChanges(now: number): void {
    for (const { creatorId } of this.#watchers.all()) {
      this.#tellOfChange(creatorId, now);
    }
  }

  /** Queues a call to the hub if what it was told is no longer so. */
  #tellOfChange(creatorId: CreatorId, now: number): void {
    const watcher = this.#watchers.get(creatorId);
    const told = this.#told.get(creatorId);
    if (watcher === undefined || !this.#health.isJudged(now)) {
      return;
    }
    const gist = this.#gist(watcher, now);
    // Before its own beginning: the clock was set back, and nobody can say how long it has been on its way.
    const toldForMs = told?.telling?.gist === gist ? now - told.telling.at : -1;
    const onItsWay = toldForMs >= 0 && toldForMs < TELL_AGAIN_MS;
    if (gist !== told?.heard && !onItsWay) {
      this.#waiting.add(creatorId);
      this.#callHubs();
    }
  }

  #callHubs(): void {
    for (const creatorId of this.#waiting) {
      if (this.#callsInFlight >= MAX_CALLS) {
        return;
      }
      this.#waiting.delete(creatorId);
      const watcher = this.#watchers.get(creatorId);
      if (watcher !== undefined) {
        this.#callHub(watcher);
      }
    }
  }

  #callHub(watcher: Watcher): void {
    const now = this.#ports.clock.now();
    const { creatorId, hubIncarnation } = watcher;
    const word = this.#nextWord(watcher, now);
    const gist = this.#gistOf(word);
    const heard = this.#told.get(creatorId)?.heard ?? "";
    this.#told.set(creatorId, { hubIncarnation, heard, telling: { gist, at: now } });
    this.#callsInFlight += 1;
    const settle = (told: boolean) => {
      this.#callsInFlight -= 1;
      this.#checkAt = told ? this.#checkAt : Math.min(this.#checkAt, this.#ports.clock.now() + RETRY_MS);
      const current = this.#told.get(creatorId);
      if (current?.hubIncarnation === hubIncarnation && current.telling?.gist === gist) {
        this.#told.set(creatorId, { hubIncarnation, heard: told ? gist : current.heard, telling: null });
      }
      this.#callHubs();
      this.#arm(this.#ports.clock.now());
    };
    const { hubs, timers } = this.#ports;
    void withDeadline(timers, CALL_DEADLINE_MS, () => hubs.sourcesChanged(word)).then(
      () => settle(true),
      (error: unknown) => {
        this.#ports.log.warn("hub_not_told", { creatorId, error: describeError(error) });
        settle(false);
      },
    );
  }

  /** True when every expected source has served this incarnation; it then stays so. */
  #isComplete(watcher: Watcher, now: number): boolean {
    const { expected } = this.#health;
    return watcher.complete || (expected.length > 0 && expected.every((source) => this.#isHeard(source, watcher, now)));
  }

  /** A source that is down does not hold back creators whom it does not serve. */
  #isHeard(source: Source, watcher: Watcher, now: number): boolean {
    if (this.#health.servedAt(source, watcher) !== null) {
      return true;
    }
    const trouble = this.#health.troubleOf(source, now);
    return trouble !== null && trouble !== "reader_behind" && !this.#health.serves(source, watcher);
  }

  /** What of a word a hub acts on: a change of anything else is not worth a call. */
  #gist(watcher: Watcher, now: number): string {
    const { state, reason } = this.#health.stateFor(watcher, now);
    return this.#gistOf({ complete: this.#isComplete(watcher, now), state, reason });
  }

  /** Of which sources there are, the generation stands for the list. */
  #gistOf({ complete, state, reason }: Pick<SourcesState, "complete" | "state" | "reason">): string {
    return `${this.#health.generation} ${complete} ${state} ${reason}`;
  }

  /** The word with the next revision, noted and stored as told. */
  #nextWord(watcher: Watcher, now: number): SourcesState {
    const { creatorId, hubIncarnation } = watcher;
    watcher.revision += 1;
    watcher.complete = this.#isComplete(watcher, now);
    if (watcher.complete) {
      this.#incomplete.delete(creatorId);
    } else {
      this.#incomplete.add(creatorId);
    }
    this.#ports.storage.saveLease(watcher);
    const { complete, revision } = watcher;
    const sources = this.#health.expected.map((source) => ({
      source,
      served: this.#health.servedAt(source, watcher),
    }));
    const state = this.#health.stateFor(watcher, now);
    return { v: LIVE_RPC_VERSION, creatorId, hubIncarnation, complete, ...state, revision, sources };
  }

  #arm(now: number): void {
    if (this.#watchers.size === 0) {
      return;
    }
    this.#checkAt = Math.min(this.#checkAt, now + CHECK_INTERVAL_MS, this.#health.nextStallAt(now));
    if (this.#checkAt < this.#alarmAt) {
      this.#alarmAt = this.#checkAt;
      this.#ports.alarm.set(this.#checkAt);
    }
  }
}

/** The answer to a hub incarnation that has a successor already. */
function voidWord(creatorId: CreatorId, hubIncarnation: string): SourcesState {
  return { v: LIVE_RPC_VERSION, creatorId, hubIncarnation, complete: false, state: "ok", reason: null, asOf: null };
}

/** Incarnations are `h_` and a rising number in base 36: longer, or of the same length and greater as text, is later. */
function isLater(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}
