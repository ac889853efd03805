// A hub's lease in the watch list: taken when the first dashboard opens, renewed while one is open, given back after
// the last. A lost call is repeated; a lease that could not be given back lapses.
import type { Clock } from "../runtime/clock.ts";
import { describeError, type Log } from "../runtime/log.ts";
import { LIVE_RPC_VERSION, sourcesStateSchema, type Ack, type Lease, type SourcesState } from "../contract/live-rpc.ts";
import type { CreatorId, Source } from "../contract/ids.ts";

/** How often a lease is renewed. The watch list lets it lapse after two and a half times that. */
const RENEW_INTERVAL_MS = 60_000;
/** A call without an answer for so long is taken for lost. */
const ANSWER_LIMIT_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** Without an answer for so long nobody vouches for the numbers: one renewal missed and its retries. */
const OUT_OF_TOUCH_MS = RENEW_INTERVAL_MS + 15_000;

/** The watch list as a hub sees it. */
export interface WatchListPort {
  renew(lease: Lease): Promise<SourcesState>;
  release(lease: Lease): Promise<Ack>;
}

interface Holding {
  incarnation: string;
  /** When to call next. */
  dueAt: number;
  failures: number;
  answeredAt: number;
}

/** Keeps one hub's lease. */
export class LeaseKeeper {
  readonly #creatorId: CreatorId;
  readonly #watchList: WatchListPort;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #held: () => { sources: Source[]; revision: number };
  readonly #onAnswer: (state: SourcesState | null) => void;
  #holding: Holding | null = null;

  /**
   * @param held the sources that the hub holds contributions of, and the newest revision it has been told
   * @param onAnswer takes each answer, and null after a failed call: when to call next has changed
   */
  constructor(
    creatorId: CreatorId,
    watchList: WatchListPort,
    clock: Clock,
    log: Log,
    held: () => { sources: Source[]; revision: number },
    onAnswer: (state: SourcesState | null) => void,
  ) {
    this.#creatorId = creatorId;
    this.#watchList = watchList;
    this.#clock = clock;
    this.#log = log;
    this.#held = held;
    this.#onAnswer = onAnswer;
  }

  /** Takes the lease under a new incarnation. */
  begin(incarnation: string): void {
    const now = this.#clock.now();
    this.#holding = { incarnation, dueAt: now, failures: 0, answeredAt: now };
    this.renewIfDue();
  }

  /** Gives the lease back. */
  end(): void {
    const holding = this.#holding;
    this.#holding = null;
    if (holding !== null) {
      this.#release(holding.incarnation);
    }
  }

  /** When `renewIfDue` has something to do next; infinite without a lease. */
  nextDueAt(): number {
    return this.#holding === null ? Infinity : Math.min(this.#holding.dueAt, this.#clock.now() + RENEW_INTERVAL_MS);
  }

  /** True when the watch list has not answered for too long to vouch for the sources, or nobody knows for how long. */
  isOutOfTouch(): boolean {
    return this.#holding !== null && Math.abs(this.#clock.now() - this.#holding.answeredAt) > OUT_OF_TOUCH_MS;
  }

  /** Renews the lease when it is time. The answer comes later: nobody waits for it here. */
  renewIfDue(): void {
    const holding = this.#holding;
    const now = this.#clock.now();
    if (holding === null) {
      return;
    }
    // An answer later than now is that of a clock that was set back, as is a wait longer than any.
    holding.answeredAt = Math.min(holding.answeredAt, now);
    if (now < holding.dueAt && holding.dueAt <= now + RENEW_INTERVAL_MS) {
      return;
    }
    holding.dueAt = now + ANSWER_LIMIT_MS;
    const lease = this.#lease(holding.incarnation);
    void this.#watchList.renew(lease).then(
      (answer) => this.#answered(holding, answer),
      (error: unknown) => this.#failed(holding, error),
    );
  }

  #answered(holding: Holding, answer: unknown): void {
    if (this.#holding === null) {
      // The lease was given back while this call was on its way, and may have arrived after that.
      this.#release(holding.incarnation);
      return;
    }
    if (this.#holding !== holding) {
      return;
    }
    const state = sourcesStateSchema.safeParse(answer);
    if (!state.success) {
      this.#failed(holding, state.error);
      return;
    }
    const now = this.#clock.now();
    holding.dueAt = now + RENEW_INTERVAL_MS;
    holding.failures = 0;
    holding.answeredAt = now;
    this.#onAnswer(state.data);
  }

  #failed(holding: Holding, error: unknown): void {
    if (this.#holding !== holding) {
      return;
    }
    holding.dueAt = this.#clock.now() + Math.min(FIRST_RETRY_MS * 2 ** holding.failures, MAX_RETRY_MS);
    holding.failures += 1;
    if (holding.failures === 1) {
      this.#log.warn("lease_not_renewed", { error: describeError(error) });
    }
    this.#onAnswer(null);
  }

  #release(incarnation: string): void {
    void this.#watchList.release(this.#lease(incarnation)).catch((error: unknown) => {
      this.#log.warn("lease_not_released", { error: describeError(error) });
    });
  }

  #lease(hubIncarnation: string): Lease {
    return { v: LIVE_RPC_VERSION, creatorId: this.#creatorId, hubIncarnation, ...this.#held() };
  }
}
