// What the outside sees of a fold: publications to watched creators' hubs, shares of finished streams, reports to the
// watch list. Only here does wall time count, and only while caught up: viewers expire and streams end by it in what is
// sent, never in the state itself.
import type { CreatorId } from "../../contract/ids.ts";
import type { Publish } from "../../contract/live-rpc.ts";
import type { FoldState } from "../fold/fold-state.ts";
import { streamSoFar } from "../fold/log-time.ts";
import type { Position, ReaderPorts } from "../ports.ts";
import type { PartitionCursor } from "../read/partition-cursor.ts";
import type { LoopView } from "../read/partition-loop.ts";
import { publicationOf, ViewersAt, workOfTime } from "./publication.ts";
import { type Publications, Publisher } from "./publisher.ts";
import { StreamShareSender } from "./stream-share-sender.ts";
import { type ReaderStanding, WatchPoller } from "./watch-poller.ts";

/** How often the passing of wall time is looked at. */
const TICK_MS = 1_000;
/** Publications of one round share a count of viewers as of this long ago at most. */
const SAME_MOMENT_MS = 50;
/** Watchers met within this time of a rebuilt state are sent zeros too: their hubs may hold what is no more. */
const ANNOUNCE_EMPTY_MS = 3_600_000;

/** Shows a fold to hubs and watch list. */
export class EngagementView implements Publications {
  readonly #ports: ReaderPorts;
  readonly #position: () => Position | null;
  readonly #loop: LoopView;
  readonly #publisher: Publisher;
  readonly #poller: WatchPoller;
  readonly #shares: StreamShareSender;
  #state: FoldState;
  #cursor: PartitionCursor | null = null;
  #viewers: ViewersAt | null = null;
  /** By creator: what of its last publication was the work of time. */
  readonly #told = new Map<CreatorId, string>();
  #offered = new WeakSet();
  #cancelTick: (() => void) | null = null;

  constructor(ports: ReaderPorts, state: FoldState, position: () => Position | null, loop: LoopView) {
    this.#ports = ports;
    this.#state = state;
    this.#position = position;
    this.#loop = loop;
    this.#publisher = new Publisher(ports, this);
    this.#poller = new WatchPoller(ports, this.#publisher, () => this.#standing());
    this.#shares = new StreamShareSender(
      ports,
      () => this.#position()?.epoch ?? 0,
      (isSame) => this.#forgetShares(isSame),
    );
  }

  get calls() {
    return { hubs: this.#publisher.calls + this.#shares.calls, watchList: this.#poller.calls };
  }

  get watchers(): number {
    return this.#publisher.watchers;
  }

  get lastPublishMs(): number | null {
    return this.#publisher.lastPublishMs;
  }

  get sharesWaiting(): number {
    return this.#shares.waiting;
  }

  get sharesGivenUp(): number {
    return this.#shares.givenUp;
  }

  /** Begins to show what this cursor reads. */
  follow(cursor: PartitionCursor): void {
    const isFirst = this.#cursor === null;
    this.#cursor = cursor;
    if (isFirst) {
      this.#poller.start();
      this.#tick();
    }
  }

  /** Counting has begun again in another state. */
  rebuilt(state: FoldState): void {
    this.#state = state;
    this.#viewers = null;
    this.#told.clear();
    this.#offered = new WeakSet();
    this.#publisher.everythingChanged();
    this.#publisher.pump();
  }

  /** Records were folded. */
  changed(): void {
    this.#viewers = null;
    this.#publisher.changed(this.#state.items.takeChanged());
    this.#publisher.pump();
    this.#offerShares();
  }

  stop(): void {
    this.#cancelTick?.();
    this.#poller.stop();
    this.#publisher.stop();
    this.#shares.stop();
  }

  hasSomethingFor(creatorId: CreatorId): boolean {
    // An epoch is the instant at which the state was built.
    const isYoung = this.#ports.clock.now() - (this.#position()?.epoch ?? 0) < ANNOUNCE_EMPTY_MS;
    return isYoung || this.#state.items.creator(creatorId) !== undefined;
  }

  position(): { readonly epoch: number; readonly offset: number } {
    return this.#position() ?? { epoch: 0, offset: 0 };
  }

  forget(creatorId: CreatorId): void {
    this.#told.delete(creatorId);
  }

  of(creatorId: CreatorId): Publish {
    const { epoch, offset } = this.position();
    const viewers = this.#viewersNow();
    const caughtUp = this.#cursor?.caughtUp ?? false;
    const where = { source: this.#ports.source, epoch, offset, at: viewers.at, caughtUp };
    this.#told.set(creatorId, workOfTime(this.#state, creatorId, viewers));
    return publicationOf(this.#state, creatorId, where, viewers);
  }

  #standing(): ReaderStanding | null {
    const position = this.#position();
    return position === null
      ? null
      : {
          source: this.#ports.source,
          partitions: this.#loop.partitions,
          epoch: position.epoch,
          offset: position.offset,
          health: this.#loop.health,
        };
  }

  #viewersNow(): ViewersAt {
    const now = this.#cursor?.caughtUp === true ? this.#ports.clock.now() : this.#state.time;
    if (
      this.#viewers === null ||
      this.#viewers.at < this.#state.time ||
      Math.abs(now - this.#viewers.at) > SAME_MOMENT_MS
    ) {
      this.#viewers = new ViewersAt(this.#state, Math.floor(now));
    }
    return this.#viewers;
  }

  /** Wall time passes: who stopped watching, which streams ended? */
  #tick(): void {
    this.#cancelTick = this.#ports.timers.after(TICK_MS, () => this.#tick());
    if (this.#cursor?.caughtUp === true) {
      this.#noteWorkOfTime();
      this.#offerQuietStreams();
    }
    this.#publisher.pump();
    this.#offerShares();
  }

  /** Compared with what was told, by whatever clock, and not with what the last look saw. */
  #noteWorkOfTime(): void {
    const viewers = this.#viewersNow();
    const touched = new Set<CreatorId>(this.#told.keys());
    for (const item of [...viewers.items(), ...this.#state.crowds.keys(), ...this.#state.streams.keys()]) {
      const creator = this.#state.items.creatorOf(item);
      if (creator !== undefined) {
        touched.add(creator.id);
      }
    }
    for (const creatorId of touched) {
      const isWatched = this.#publisher.isWatched(creatorId);
      if (isWatched && workOfTime(this.#state, creatorId, viewers) !== this.#told.get(creatorId)) {
        this.#publisher.changed([creatorId]);
      }
    }
  }

  #offerQuietStreams(): void {
    const now = this.#ports.clock.now();
    for (const [item, stream] of this.#state.streams) {
      const result = stream.isQuiet(now) ? streamSoFar(this.#state, item) : null;
      if (result !== null) {
        this.#shares.offer(result);
      }
    }
  }

  #offerShares(): void {
    for (const result of this.#state.ended.filter((each) => !this.#offered.has(each))) {
      this.#offered.add(result);
      this.#shares.offer(result);
    }
    this.#shares.pump();
  }

  #forgetShares(isSame: (result: FoldState["ended"][number]) => boolean): void {
    const at = this.#state.ended.findIndex(isSame);
    if (at >= 0) {
      this.#state.ended.splice(at, 1);
    }
  }
}
