// Asking who is watched, at least every second, beside whatever else the reader does; the same call reports how the
// reader fares and up to which version of the list every watcher has been served.
import type { Source } from "../../contract/ids.ts";
import {
  LIVE_RPC_VERSION,
  type ReaderHealth,
  type WatchChanges,
  watchChangesSchema,
  type WatchVersion,
} from "../../contract/live-rpc.ts";
import { describeError, type Log } from "../../runtime/log.ts";
import { withDeadline } from "../../runtime/deadline.ts";
import type { Timers } from "../../runtime/timers.ts";
import type { WatchListPort } from "../ports.ts";
import type { Publisher } from "./publisher.ts";

/** Twice the pace the design asks for, so that one slow answer still leaves a poll each second. */
const POLL_INTERVAL_MS = 500;
const POLL_DEADLINE_MS = 2_000;
/** Unserved watchers of one report, as the contract bounds it. */
const MAX_NAMED = 1_000;

/** What the reader says of itself in a report. */
export interface ReaderStanding {
  readonly source: Source;
  readonly partitions: number;
  readonly epoch: number;
  readonly offset: number;
  readonly health: ReaderHealth;
}

interface Ports {
  readonly watchList: WatchListPort;
  readonly timers: Timers;
  readonly log: Log;
}

/** Keeps a publisher's watchers up to date. */
export class WatchPoller {
  readonly #ports: Ports;
  readonly #publisher: Publisher;
  readonly #standing: () => ReaderStanding | null;
  /** The version whose watchers the publisher knows; null: the whole list is needed. */
  #known: WatchVersion | null = null;
  #served: WatchVersion | null = null;
  #isStopped = false;
  #isPolling = false;
  #pollAgain = false;
  #cancelTimer: (() => void) | null = null;
  /** Calls made to the watch list. */
  calls = 0;

  constructor(ports: Ports, publisher: Publisher, standing: () => ReaderStanding | null) {
    this.#ports = ports;
    this.#publisher = publisher;
    this.#standing = standing;
    publisher.onServed = () => this.#sayServed();
  }

  /** Polls now and from now on. */
  start(): void {
    void this.#poll();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
  }

  /** When everybody has been served, the list is told at once: a page waits for it. */
  #sayServed(): void {
    if (this.#publisher.unserved().waiting === 0) {
      void this.#poll();
    }
  }

  async #poll(): Promise<void> {
    if (this.#isPolling || this.#isStopped) {
      this.#pollAgain = this.#isPolling;
      return;
    }
    this.#cancelTimer?.();
    this.#isPolling = true;
    this.#pollAgain = false;
    const standing = this.#standing();
    if (standing !== null) {
      try {
        this.#apply(await this.#report(standing));
      } catch (error) {
        this.#ports.log.warn("watch list poll failed", { error: describeError(error) });
      }
    }
    this.#isPolling = false;
    if (!this.#isStopped) {
      this.#cancelTimer = this.#ports.timers.after(this.#pollAgain ? 0 : POLL_INTERVAL_MS, () => void this.#poll());
    }
  }

  async #report(standing: ReaderStanding): Promise<WatchChanges> {
    const { waiting, named } = this.#publisher.unserved();
    // Whoever is unserved and not named counts as served.
    if (waiting === 0 && named.length <= MAX_NAMED) {
      this.#served = this.#known;
    }
    this.calls++;
    const answer = await withDeadline(this.#ports.timers, POLL_DEADLINE_MS, () =>
      this.#ports.watchList.report({
        v: LIVE_RPC_VERSION,
        ...standing,
        served: this.#served,
        unserved: named.slice(0, MAX_NAMED),
      }),
    );
    return watchChangesSchema.parse(answer);
  }

  #apply(changes: WatchChanges): void {
    if (this.#isStopped) {
      return;
    }
    if (changes.whole) {
      this.#publisher.keepOnly(new Set(changes.watchers.map(({ creatorId }) => creatorId)));
    }
    for (const creatorId of changes.left) {
      this.#publisher.unwatch(creatorId);
    }
    for (const { creatorId, hubIncarnation } of changes.watchers) {
      this.#publisher.watch(creatorId, hubIncarnation);
    }
    const isNews =
      this.#known?.number !== changes.version.number || this.#known.incarnation !== changes.version.incarnation;
    this.#known = changes.version;
    this.#publisher.pump();
    // With nothing to publish, everybody new has been served already, and the list is told at once.
    this.#pollAgain ||= isNews && this.#publisher.unserved().waiting === 0;
  }
}
