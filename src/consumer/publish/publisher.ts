// When which creator's hub is called. Only watched creators; the first change at once, then at the interval the hub
// asks for; at most one call in flight per hub; a creator stays dirty until its hub has answered; a failing hub waits
// by itself and holds up nobody.
import type { CreatorId } from "../../contract/ids.ts";
import { type Publish, type PublishReply, publishReplySchema } from "../../contract/live-rpc.ts";
import type { Clock } from "../../runtime/clock.ts";
import { describeError, type Log } from "../../runtime/log.ts";
import { backoff, withDeadline } from "../../runtime/deadline.ts";
import type { Timers } from "../../runtime/timers.ts";
import type { HubPort } from "../ports.ts";

/** The least time between two publishes to a hub until it says otherwise. */
const FIRST_INTERVAL_MS = 250;
const CALL_DEADLINE_MS = 5_000;
const FIRST_RETRY_MS = 250;
const MOST_RETRY_MS = 15_000;
/** A hub that holds something newer is asked again this often, in case it forgets; or as soon as it has been passed. */
const BEHIND_RETRY_MS = 5_000;
/** Calls in flight at once, and how many of them may go to hubs that failed last time (ours). */
const MAX_IN_FLIGHT = 64;
const MAX_FAILING_IN_FLIGHT = 16;
/** After so many failures a hub holds up the serving of the others no longer. */
const PATIENT_FAILURES = 2;

/** Where a publication stands in the log. */
interface LogPosition {
  readonly epoch: number;
  readonly offset: number;
}

/** What the publisher needs of the reader. */
export interface Publications {
  /** True when there is something to tell this creator's hub. */
  hasSomethingFor(creatorId: CreatorId): boolean;
  /** The publication as of now. */
  of(creatorId: CreatorId): Publish;
  /** Where a publication would stand now. */
  position(): LogPosition;
  /** Nobody watches this creator any more: what is remembered of its publications may be forgotten. */
  forget(creatorId: CreatorId): void;
}

interface Watched {
  readonly creatorId: CreatorId;
  hubIncarnation: string;
  isDirty: boolean;
  /** True until the hub of this incarnation has accepted a publish. */
  isOwed: boolean;
  /** No call before this instant, ms. */
  notBefore: number;
  intervalMs: number;
  failures: number;
  /** What a publication must reach to be newer than what the hub holds; null unless it holds something newer. */
  behind: LogPosition | null;
}

interface Ports {
  readonly hubs: Pick<HubPort, "publish">;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Log;
}

/** Publishes to the hubs of watched creators. */
export class Publisher {
  readonly #ports: Ports;
  readonly #publications: Publications;
  readonly #watched = new Map<CreatorId, Watched>();
  readonly #dirty = new Set<Watched>();
  /** Creators whose hub has a call in flight. */
  readonly #busy = new Set<CreatorId>();
  #failingInFlight = 0;
  #cancelTimer: (() => void) | null = null;
  #timerAt = Infinity;
  /** Called when somebody waits for a publish no longer: served, or told by name. */
  onServed: () => void = () => undefined;
  /** Calls made to hubs. */
  calls = 0;
  /** How long the last answered call took, ms. */
  lastPublishMs: number | null = null;

  constructor(ports: Ports, publications: Publications) {
    this.#ports = ports;
    this.#publications = publications;
  }

  get watchers(): number {
    return this.#watched.size;
  }

  isWatched(creatorId: CreatorId): boolean {
    return this.#watched.has(creatorId);
  }

  /** Watchers not served yet; `named` hold up nobody: their hubs do not answer, or hold something newer. */
  unserved(): { readonly waiting: number; readonly named: CreatorId[] } {
    const owed = [...this.#watched.values()].filter((watched) => watched.isOwed);
    const named = owed.filter((watched) => watched.failures >= PATIENT_FAILURES || watched.behind !== null);
    return { waiting: owed.length - named.length, named: named.map(({ creatorId }) => creatorId) };
  }

  /** A creator is watched through this incarnation of its hub; a new one gets everything again. */
  watch(creatorId: CreatorId, hubIncarnation: string): void {
    const known = this.#watched.get(creatorId);
    if (known?.hubIncarnation === hubIncarnation) {
      return;
    }
    const watched = known ?? newWatched(creatorId, hubIncarnation);
    watched.hubIncarnation = hubIncarnation;
    watched.behind = null;
    watched.notBefore = 0;
    watched.failures = 0;
    this.#watched.set(creatorId, watched);
    if (this.#publications.hasSomethingFor(creatorId)) {
      watched.isOwed = true;
      this.#markDirty(watched);
    }
  }

  unwatch(creatorId: CreatorId): void {
    const watched = this.#watched.get(creatorId);
    if (watched !== undefined) {
      this.#watched.delete(creatorId);
      this.#dirty.delete(watched);
      this.#publications.forget(creatorId);
    }
  }

  /** Only these are watched. */
  keepOnly(creatorIds: ReadonlySet<CreatorId>): void {
    for (const creatorId of this.#watched.keys()) {
      if (!creatorIds.has(creatorId)) {
        this.unwatch(creatorId);
      }
    }
  }

  /** These creators' numbers changed; those that nobody watches cost nothing. */
  changed(creatorIds: Iterable<CreatorId>): void {
    if (this.#watched.size === 0) {
      return;
    }
    for (const creatorId of creatorIds) {
      const watched = this.#watched.get(creatorId);
      if (watched !== undefined) {
        this.#markDirty(watched);
      }
    }
  }

  /** The state was rebuilt: every watcher holds something that is no more. */
  everythingChanged(): void {
    for (const watched of this.#watched.values()) {
      watched.isOwed = true;
      this.#markDirty(watched);
    }
  }

  /** Sends what is due. */
  pump(): void {
    const now = this.#ports.clock.now();
    let next = Infinity;
    for (const watched of this.#dirty) {
      if (this.#busy.has(watched.creatorId)) {
        continue;
      }
      // No wait is longer: an instant further off is that of a clock that was set back since.
      watched.notBefore = Math.min(watched.notBefore, now + MOST_RETRY_MS);
      if (watched.notBefore > now && !this.#hasPassed(watched)) {
        next = Math.min(next, watched.notBefore);
      } else if (this.#mayCall(watched)) {
        void this.#send(watched, now);
      }
    }
    this.#wakeAt(next);
  }

  /** Calls off the timer; calls in flight end by themselves. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#timerAt = Infinity;
    this.#watched.clear();
    this.#dirty.clear();
  }

  #markDirty(watched: Watched): void {
    watched.isDirty = true;
    this.#dirty.add(watched);
  }

  #mayCall(watched: Watched): boolean {
    return this.#busy.size < MAX_IN_FLIGHT && (watched.failures === 0 || this.#failingInFlight < MAX_FAILING_IN_FLIGHT);
  }

  /** True when the hub was ahead and what it would get now is newer. A hub that does not answer waits all the same. */
  #hasPassed({ behind, failures }: Watched): boolean {
    return failures === 0 && behind !== null && hasReached(this.#publications.position(), behind);
  }

  async #send(watched: Watched, now: number): Promise<void> {
    const { hubIncarnation } = watched;
    const isFailing = watched.failures > 0;
    watched.isDirty = false;
    this.#dirty.delete(watched);
    this.#busy.add(watched.creatorId);
    this.#failingInFlight += isFailing ? 1 : 0;
    this.calls++;
    const sent = this.#publications.position();
    try {
      const reply = await this.#call(watched.creatorId);
      this.lastPublishMs = this.#ports.clock.now() - now;
      this.#take(watched, hubIncarnation, { reply, sent }, now);
    } catch (error) {
      this.#fail(watched, error);
    }
    this.#busy.delete(watched.creatorId);
    this.#failingInFlight -= isFailing ? 1 : 0;
    if (watched.isDirty && this.#watched.get(watched.creatorId) === watched) {
      this.#dirty.add(watched);
    } else {
      this.#dirty.delete(watched);
    }
    this.pump();
  }

  async #call(creatorId: CreatorId): Promise<PublishReply> {
    const publish = this.#publications.of(creatorId);
    const answer = await withDeadline(this.#ports.timers, CALL_DEADLINE_MS, () => this.#ports.hubs.publish(publish));
    return publishReplySchema.parse(answer);
  }

  #take(
    watched: Watched,
    hubIncarnation: string,
    answer: { reply: PublishReply; sent: LogPosition },
    sentAt: number,
  ): void {
    const { reply, sent } = answer;
    watched.intervalMs = reply.intervalMs;
    if (reply.outcome === "behind") {
      watched.isDirty = true;
    }
    // What an earlier incarnation said delays nothing that its successor is owed.
    if (watched.hubIncarnation !== hubIncarnation) {
      return;
    }
    watched.failures = 0;
    if (reply.outcome === "behind") {
      // Where it is behind in time alone, by a clock that was set back, one more record helps, or waiting.
      watched.behind = hasReached(sent, reply.held) ? { ...sent, offset: sent.offset + 1 } : reply.held;
      watched.notBefore = sentAt + BEHIND_RETRY_MS;
    } else {
      watched.behind = null;
      watched.notBefore = sentAt + watched.intervalMs;
    }
    // What was on its way when counting began again serves nobody.
    if (watched.isOwed && sent.epoch === this.#publications.position().epoch) {
      watched.isOwed = reply.outcome === "behind";
      this.onServed();
    }
  }

  #fail(watched: Watched, error: unknown): void {
    watched.failures++;
    watched.isDirty = true;
    watched.notBefore = this.#ports.clock.now() + backoff(watched.failures, FIRST_RETRY_MS, MOST_RETRY_MS);
    this.#ports.log.warn("publish failed", { failures: watched.failures, error: describeError(error) });
  }

  #wakeAt(instant: number): void {
    if (instant === this.#timerAt) {
      return;
    }
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#timerAt = instant;
    if (instant < Infinity) {
      this.#cancelTimer = this.#ports.timers.after(Math.max(0, instant - this.#ports.clock.now()), () => {
        this.#timerAt = Infinity;
        this.#cancelTimer = null;
        this.pump();
      });
    }
  }
}

function hasReached(a: LogPosition, b: LogPosition): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.offset >= b.offset);
}

function newWatched(creatorId: CreatorId, hubIncarnation: string): Watched {
  return {
    creatorId,
    hubIncarnation,
    isDirty: false,
    isOwed: false,
    notBefore: 0,
    intervalMs: FIRST_INTERVAL_MS,
    failures: 0,
    behind: null,
  };
}
