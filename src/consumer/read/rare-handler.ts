// A partition of a topic whose events must not be missed: each goes to its creator's hub, watched or not, in order, and
// the position is stored only when the hubs have said that they have theirs. A hub that fails has its events parked, so
// that it holds up nobody else.
import type { CreatorId } from "../../contract/ids.ts";
import type { RareEvent } from "../../contract/live-rpc.ts";
import { withDeadline } from "../../runtime/deadline.ts";
import { decodeRare, type RareKind } from "../decode/decode-rare.ts";
import { deadLetterOf, Rejected } from "../decode/rejection.ts";
import type { Gap, ParkedEvent, Position, ReaderPorts, StoredReader } from "../ports.ts";
import { RareDelivery } from "../publish/rare-delivery.ts";
import { DeadLetterBuffer } from "./dead-letter-buffer.ts";
import type { PartitionCursor } from "./partition-cursor.ts";
import type { PartitionHandler } from "./partition-loop.ts";
import type { Portion, Suspects } from "./suspects.ts";

/**
 * Events parked at most (ours: about 200 MB, and 3 GB of the longest, where an object stores 10). Beyond it the reader
 * waits: order and completeness come first.
 */
const MAX_PARKED = 500_000;
const COMMIT_DEADLINE_MS = 3_000;

/** Delivers one partition of a rare topic. */
export class RareHandler implements PartitionHandler {
  readonly firstBeginning = "earliest";
  readonly logTime = null;
  readonly #ports: ReaderPorts;
  readonly #kind: RareKind;
  readonly #suspects: Suspects;
  readonly #maxParked: number;
  readonly #deadLetters: DeadLetterBuffer;
  readonly #delivery: RareDelivery;
  #position: Position | null = null;
  #isStopped = false;
  #saved: { readonly offset: number; readonly savedAt: number; readonly bytes: number } | null = null;

  constructor(ports: ReaderPorts, kind: RareKind, suspects: Suspects, maxParked = MAX_PARKED) {
    this.#ports = ports;
    this.#maxParked = maxParked;
    this.#kind = kind;
    this.#suspects = suspects;
    this.#deadLetters = new DeadLetterBuffer(ports.clock);
    this.#delivery = new RareDelivery(ports);
  }

  get position(): Position | null {
    return this.#position;
  }

  get calls() {
    return { hubs: this.#delivery.calls, watchList: 0 };
  }

  get hasRoom(): boolean {
    return this.#delivery.parkedEvents < this.#maxParked;
  }

  async restore(stored: StoredReader): Promise<Position | null> {
    this.#delivery.resume(stored.parked);
    this.#position = stored.checkpoints[0]?.position ?? null;
    return this.#position;
  }

  async begin(position: Position, gap: Gap | null): Promise<void> {
    await this.#commit(position, [], gap);
  }

  follow(_cursor: PartitionCursor): void {
    this.#delivery.pump();
  }

  async take(portion: Portion): Promise<void> {
    const position = this.#position;
    const last = portion.records.at(-1);
    if (position === null || last === undefined) {
      return;
    }
    const byCreator = new Map<CreatorId, RareEvent[]>();
    for (const record of portion.records) {
      const decoded = portion.isCulprit
        ? new Rejected("kills_reader", "the reader died on it three times")
        : decodeRare(this.#kind, record, this.#ports.clock.now());
      if (decoded instanceof Rejected) {
        this.#deadLetters.add(deadLetterOf(position.topicId, record, decoded));
      } else {
        const { creatorId } = decoded.event;
        const events = byCreator.get(creatorId) ?? [];
        events.push(decoded);
        byCreator.set(creatorId, events);
      }
    }
    const toPark = await this.#delivery.deliver(position.epoch, byCreator);
    await this.#commit({ ...position, offset: last.offset + 1 }, toPark, null);
    this.#delivery.parked(toPark);
    this.#commitToKafka(last.offset + 1);
  }

  async settle(): Promise<void> {
    this.#delivery.pump();
  }

  describe() {
    return {
      lastPublishMs: this.#delivery.lastCallMs,
      watchers: 0,
      checkpoint: this.#saved,
      fold: null,
      parked: { creators: this.#delivery.parkedCreators, events: this.#delivery.parkedEvents },
      overlap: this.#delivery.overlap,
    };
  }

  stop(): void {
    this.#isStopped = true;
    this.#delivery.stop();
  }

  async #commit(position: Position, park: readonly ParkedEvent[], gap: Gap | null): Promise<void> {
    if (this.#isStopped) {
      // What is stored may have been reset meanwhile: this position would bring back what was given up.
      throw new Error("the reader was stopped");
    }
    const letters = this.#deadLetters.take();
    try {
      await this.#ports.storage.commit({ checkpoint: { position, slices: [] }, ...letters, park, gap });
    } catch (error) {
      this.#deadLetters.putBack(letters);
      throw error;
    }
    this.#position = position;
    this.#saved = { offset: position.offset, savedAt: this.#ports.clock.now(), bytes: 0 };
    this.#suspects.passed(position.offset);
  }

  #commitToKafka(offset: number): void {
    const { timers, records } = this.#ports;
    withDeadline(timers, COMMIT_DEADLINE_MS, (signal) => records.commit(offset, signal)).catch(() => undefined);
  }
}
