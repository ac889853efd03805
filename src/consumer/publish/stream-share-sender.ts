// Shares of finished streams on their way to the hubs, watched or not: absolute, and repeated until acknowledged.
import type { Source } from "../../contract/ids.ts";
import { ackSchema, LIVE_RPC_VERSION } from "../../contract/live-rpc.ts";
import type { Clock } from "../../runtime/clock.ts";
import { describeError, type Log } from "../../runtime/log.ts";
import { backoff, withDeadline } from "../../runtime/deadline.ts";
import type { StreamResult } from "../fold/stream.ts";
import type { Timers } from "../../runtime/timers.ts";
import type { HubPort } from "../ports.ts";

const CALL_DEADLINE_MS = 5_000;
const FIRST_RETRY_MS = 500;
const MOST_RETRY_MS = 60_000;
const MAX_IN_FLIGHT = 8;
/** Shares waiting at most (ours); of more, the oldest are given up and counted. */
const MAX_WAITING = 10_000;
/** Acknowledged shares remembered, so that the log's word on a stream that wall time had ended is not sent twice. */
const MAX_REMEMBERED = 2_000;

interface Waiting {
  readonly result: LabelledResult;
  readonly digest: string;
  failures: number;
  notBefore: number;
  isInFlight: boolean;
}

/** A result with the epoch that it was counted in. */
type LabelledResult = StreamResult & { readonly epoch: number };

interface Ports {
  readonly source: Source;
  readonly hubs: Pick<HubPort, "recordStreamShare">;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Log;
}

/** Sends stream results until their hubs have them. */
export class StreamShareSender {
  readonly #ports: Ports;
  readonly #epoch: () => number;
  readonly #acknowledged: (isSame: (result: StreamResult) => boolean) => void;
  readonly #waiting = new Map<string, Waiting>();
  readonly #known = new Map<string, string>();
  #inFlight = 0;
  #cancelTimer: (() => void) | null = null;
  /** Calls made to hubs. */
  calls = 0;
  /** Shares given up for want of room. */
  givenUp = 0;

  /**
   * @param epoch of results that bear none of their own
   * @param acknowledged is told which results need not be kept any more
   */
  constructor(ports: Ports, epoch: () => number, acknowledged: (isSame: (result: StreamResult) => boolean) => void) {
    this.#ports = ports;
    this.#epoch = epoch;
    this.#acknowledged = acknowledged;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Queues a result unless the hub has it already, or it waits already. */
  offer(result: StreamResult): void {
    const key = keyOf(result);
    const labelled = this.#label(result);
    const digest = digestOf(labelled);
    if (this.#known.get(key) === digest) {
      this.#forget(key, digest);
      return;
    }
    if (this.#waiting.get(key)?.digest === digest) {
      return;
    }
    const inFlight = this.#waiting.get(key)?.isInFlight ?? false;
    this.#waiting.set(key, { result: labelled, digest, failures: 0, notBefore: 0, isInFlight: inFlight });
    if (this.#waiting.size > MAX_WAITING) {
      this.#giveUpOldest();
    }
  }

  /** Sends what is due. */
  pump(): void {
    const now = this.#ports.clock.now();
    let next = Infinity;
    const due: [key: string, waiting: Waiting][] = [];
    for (const [key, waiting] of this.#waiting) {
      if (waiting.isInFlight) {
        continue;
      }
      // No wait is longer: an instant further off is that of a clock that was set back since.
      waiting.notBefore = Math.min(waiting.notBefore, now + MOST_RETRY_MS);
      if (waiting.notBefore > now) {
        next = Math.min(next, waiting.notBefore);
      } else if (this.#inFlight < MAX_IN_FLIGHT) {
        due.push([key, waiting]);
      }
    }
    // New ones first, then whoever has waited longest: hubs that do not answer hold up nobody for ever.
    due.sort(([, a], [, b]) => a.notBefore - b.notBefore);
    for (const [key, waiting] of due.slice(0, MAX_IN_FLIGHT - this.#inFlight)) {
      void this.#send(key, waiting);
    }
    this.#cancelTimer?.();
    this.#cancelTimer = next < Infinity ? this.#ports.timers.after(next - now, () => this.pump()) : null;
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#waiting.clear();
  }

  async #send(key: string, waiting: Waiting): Promise<void> {
    waiting.isInFlight = true;
    this.#inFlight++;
    this.calls++;
    try {
      const { source, hubs, timers } = this.#ports;
      const share = { ...waiting.result, v: LIVE_RPC_VERSION, source };
      ackSchema.parse(await withDeadline(timers, CALL_DEADLINE_MS, () => hubs.recordStreamShare(share)));
      this.#settle(key, waiting);
    } catch (error) {
      waiting.failures++;
      waiting.notBefore = this.#ports.clock.now() + backoff(waiting.failures, FIRST_RETRY_MS, MOST_RETRY_MS);
      this.#ports.log.warn("stream share failed", { failures: waiting.failures, error: describeError(error) });
    }
    waiting.isInFlight = false;
    this.#inFlight--;
    const newer = this.#waiting.get(key);
    if (newer !== undefined && newer !== waiting) {
      newer.isInFlight = false;
    }
    this.pump();
  }

  #settle(key: string, sent: Waiting): void {
    if (this.#waiting.get(key) === sent) {
      this.#waiting.delete(key);
    }
    this.#known.set(key, sent.digest);
    if (this.#known.size > MAX_REMEMBERED) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest ?? key);
    }
    this.#forget(key, sent.digest);
  }

  #giveUpOldest(): void {
    const [key, waiting] = [...this.#waiting].find(([, { isInFlight }]) => !isInFlight) ?? [];
    if (key !== undefined && waiting !== undefined) {
      this.#waiting.delete(key);
      this.givenUp++;
      this.#forget(key, waiting.digest);
    }
  }

  #forget(key: string, digest: string): void {
    this.#acknowledged((other) => keyOf(other) === key && digestOf(this.#label(other)) === digest);
  }

  /** Labelled when it is offered: until it is sent, counting may have begun again under another epoch. */
  #label(result: StreamResult): LabelledResult {
    const { epoch = this.#epoch(), ...numbers } = result;
    return { ...numbers, epoch };
  }
}

/** Of what a share says: it says the same whatever was counted of other streams since. */
function digestOf({ recordsCounted: _, ...numbers }: LabelledResult): string {
  return JSON.stringify(numbers);
}

function keyOf({ creatorId, contentId, startedAt }: StreamResult): string {
  return `${creatorId} ${contentId} ${startedAt}`;
}
