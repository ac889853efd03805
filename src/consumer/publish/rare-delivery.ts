// Rare events on their way to the hubs, in order per creator. What a failing hub does not take is parked in storage;
// later events of that creator queue behind, and the queue is tried again, longer and longer apart.
import type { CreatorId } from "../../contract/ids.ts";
import { LIVE_RPC_VERSION, type RareEvent, rareReplySchema } from "../../contract/live-rpc.ts";
import { describeError } from "../../runtime/log.ts";
import { backoff, withDeadline } from "../../runtime/deadline.ts";
import type { ParkedEvent, ReaderPorts, StoredReader } from "../ports.ts";

/** Events of one call, as the contract bounds it. */
const MAX_EVENTS = 500;
/** Hubs called at once. */
const MAX_IN_FLIGHT = 16;
const CALL_DEADLINE_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 60_000;

interface Queue {
  events: number;
  failures: number;
  notBefore: number;
  isInFlight: boolean;
}

type Ports = Pick<ReaderPorts, "source" | "hubs" | "storage" | "timers" | "clock" | "log">;

/** Delivers rare events of one source. */
export class RareDelivery {
  readonly #ports: Ports;
  readonly #queues = new Map<CreatorId, Queue>();
  #inFlight = 0;
  #isStopped = false;
  #cancelTimer: (() => void) | null = null;
  /** Calls made to hubs. */
  calls = 0;
  /** How long the last answered call took, ms. */
  lastCallMs: number | null = null;
  /** Events that their hubs had already. */
  overlap = 0;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  get parkedCreators(): number {
    return this.#queues.size;
  }

  get parkedEvents(): number {
    return [...this.#queues.values()].reduce((sum, { events }) => sum + events, 0);
  }

  /** Takes up what is parked in storage. */
  resume(parked: StoredReader["parked"]): void {
    for (const { creatorId, events } of parked) {
      this.#queues.set(creatorId, { events, failures: 0, notBefore: 0, isInFlight: false });
    }
  }

  /**
   * Delivers events to their hubs, several hubs at once. Never throws.
   * @returns what must be parked, in order: events of hubs that failed, and of those that have parked ones already
   */
  async deliver(epoch: number, byCreator: ReadonlyMap<CreatorId, readonly RareEvent[]>): Promise<ParkedEvent[]> {
    const toPark: ParkedEvent[] = [];
    const park = (creatorId: CreatorId, events: readonly RareEvent[]) =>
      toPark.push(...events.map((event) => ({ creatorId, epoch, event })));
    const rest = [...byCreator];
    const work = async () => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
        const [creatorId, events] = next;
        park(creatorId, this.#queues.has(creatorId) ? events : await this.#deliverAll(epoch, creatorId, events));
      }
    };
    await Promise.all(Array.from({ length: MAX_IN_FLIGHT }, work));
    return toPark;
  }

  /** Notes that these are parked in storage now. */
  parked(parked: readonly ParkedEvent[]): void {
    const now = this.#ports.clock.now();
    for (const { creatorId } of parked) {
      const queue = this.#queues.get(creatorId);
      if (queue === undefined) {
        this.#queues.set(creatorId, { events: 1, failures: 1, notBefore: now + FIRST_RETRY_MS, isInFlight: false });
      } else {
        queue.events++;
      }
    }
    this.pump();
  }

  /** Tries parked creators whose time has come. */
  pump(): void {
    if (this.#isStopped) {
      return;
    }
    const now = this.#ports.clock.now();
    let next = Infinity;
    const due: [creatorId: CreatorId, queue: Queue][] = [];
    for (const [creatorId, queue] of this.#queues) {
      if (queue.isInFlight) {
        continue;
      }
      // No wait is longer: an instant further off is that of a clock that was set back since.
      queue.notBefore = Math.min(queue.notBefore, now + MOST_RETRY_MS);
      if (queue.notBefore > now) {
        next = Math.min(next, queue.notBefore);
      } else if (this.#inFlight < MAX_IN_FLIGHT) {
        due.push([creatorId, queue]);
      }
    }
    // Whoever has waited longest first: hubs that do not answer hold up nobody for ever.
    due.sort(([, a], [, b]) => a.notBefore - b.notBefore);
    for (const [creatorId, queue] of due.slice(0, MAX_IN_FLIGHT - this.#inFlight)) {
      void this.#drain(creatorId, queue);
    }
    this.#cancelTimer?.();
    this.#cancelTimer = next < Infinity ? this.#ports.timers.after(next - now, () => this.pump()) : null;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
  }

  /** @returns what the hub has not taken */
  async #deliverAll(epoch: number, creatorId: CreatorId, events: readonly RareEvent[]): Promise<readonly RareEvent[]> {
    for (let at = 0; at < events.length; at += MAX_EVENTS) {
      try {
        const watermark = await this.#call(epoch, creatorId, events.slice(at, at + MAX_EVENTS));
        const last = events[Math.min(at + MAX_EVENTS, events.length) - 1];
        if (last !== undefined && watermark <= last.offset) {
          return events.filter(({ offset }) => offset >= watermark);
        }
      } catch (error) {
        this.#ports.log.warn("rare events parked", { creatorId, error: describeError(error) });
        return events.slice(at);
      }
    }
    return [];
  }

  /** @returns the hub's watermark */
  async #call(epoch: number, creatorId: CreatorId, events: RareEvent[]): Promise<number> {
    const { hubs, timers, source, clock } = this.#ports;
    const startedAt = clock.now();
    this.calls++;
    const batch = { v: LIVE_RPC_VERSION, creatorId, source, epoch, events };
    const reply = rareReplySchema.parse(await withDeadline(timers, CALL_DEADLINE_MS, () => hubs.applyRare(batch)));
    this.lastCallMs = clock.now() - startedAt;
    this.overlap += reply.duplicates;
    return reply.watermark;
  }

  async #drain(creatorId: CreatorId, queue: Queue): Promise<void> {
    queue.isInFlight = true;
    this.#inFlight++;
    try {
      await this.#drainOnce(creatorId, queue);
      queue.failures = 0;
    } catch (error) {
      queue.failures++;
      queue.notBefore = this.#ports.clock.now() + backoff(queue.failures, FIRST_RETRY_MS, MOST_RETRY_MS);
      this.#ports.log.warn("parked events still wait", { creatorId, error: describeError(error) });
    }
    queue.isInFlight = false;
    this.#inFlight--;
    this.pump();
  }

  async #drainOnce(creatorId: CreatorId, queue: Queue): Promise<void> {
    const { storage } = this.#ports;
    const parked = await storage.parkedEvents(creatorId, MAX_EVENTS);
    const epoch = parked[0]?.epoch;
    if (epoch === undefined) {
      this.#queues.delete(creatorId);
      return;
    }
    // One call speaks of one epoch: events of a later one wait for the next.
    const events = parked.filter((event) => event.epoch === epoch).map(({ event }) => event);
    const watermark = await this.#call(epoch, creatorId, events);
    const taken = events.filter(({ offset }) => offset < watermark).length;
    if (taken === 0) {
      throw new Error("the hub took none of the parked events");
    }
    await storage.unpark(creatorId, epoch, watermark);
    queue.events -= taken;
    if (queue.events <= 0) {
      this.#queues.delete(creatorId);
    }
  }
}
