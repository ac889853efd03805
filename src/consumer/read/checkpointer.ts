// When a state is saved, and that one save follows another: state, position and dead letters in one transaction.
import type { Clock } from "../../runtime/clock.ts";
import { describeError, type Log } from "../../runtime/log.ts";
import { copyState } from "../checkpoint/checkpoint.ts";
import type { FoldState } from "../fold/fold-state.ts";
import type { Compressor, Gap, Position, ReaderStorage } from "../ports.ts";
import type { DeadLetterBuffer } from "./dead-letter-buffer.ts";

/** A checkpoint is due after either. */
const CHECKPOINT_MS = 10_000;
const CHECKPOINT_RECORDS = 200_000;
/** A reader so far ahead of its last checkpoint waits for the next one to be saved. */
const MOST_UNSAVED_RECORDS = 2 * CHECKPOINT_RECORDS;

interface Ports {
  readonly storage: Pick<ReaderStorage, "commit">;
  readonly compressor: Compressor;
  readonly clock: Clock;
  readonly log: Log;
}

/** Saves checkpoints of one reader. */
export class Checkpointer {
  readonly #ports: Ports;
  readonly #deadLetters: DeadLetterBuffer;
  readonly #saved: (position: Position) => void;
  #unsaved = 0;
  #isUrgent = false;
  #lastAt: number;
  #saving: Promise<boolean> | null = null;
  #isStopped = false;
  /** The newest checkpoint saved by this reader. */
  last: { readonly offset: number; readonly savedAt: number; readonly bytes: number } | null = null;

  /** @param saved is told the position of each checkpoint when it is durable */
  constructor(ports: Ports, deadLetters: DeadLetterBuffer, saved: (position: Position) => void) {
    this.#ports = ports;
    this.#deadLetters = deadLetters;
    this.#saved = saved;
    this.#lastAt = ports.clock.now();
  }

  /** Notes records taken; after a culprit the next checkpoint must not wait. */
  took(records: number, isCulprit: boolean): void {
    this.#unsaved += records;
    this.#isUrgent ||= isCulprit;
  }

  /** Starts a checkpoint if one is due; waits only when the reader is too far ahead of the last one. */
  async settle(position: Position, state: FoldState): Promise<void> {
    const isLate = this.#unsaved > 0 && this.#ports.clock.now() - this.#lastAt >= CHECKPOINT_MS;
    const isDue = isLate || this.#unsaved >= CHECKPOINT_RECORDS || this.#isUrgent;
    if (isDue && this.#saving === null) {
      void this.#start(position, state, null);
    }
    if (this.#unsaved >= MOST_UNSAVED_RECORDS || this.#isUrgent) {
      await this.#saving;
    }
  }

  /** Saves now. Throws when it could not be saved. */
  async save(position: Position, state: FoldState, gap: Gap | null): Promise<void> {
    await this.#saving;
    if (!(await this.#start(position, state, gap))) {
      throw new Error("the checkpoint could not be saved");
    }
  }

  /** Nothing is saved any more. */
  stop(): void {
    this.#isStopped = true;
  }

  #start(position: Position, state: FoldState, gap: Gap | null): Promise<boolean> {
    // Copied before anything else can happen.
    const compress = copyState(state);
    const saved = this.#save(position, compress, gap, this.#unsaved);
    this.#unsaved = 0;
    this.#saving = saved;
    return saved;
  }

  async #save(
    position: Position,
    compress: (compressor: Compressor) => Promise<Uint8Array[]>,
    gap: Gap | null,
    records: number,
  ): Promise<boolean> {
    const letters = this.#deadLetters.take();
    try {
      const slices = await compress(this.#ports.compressor);
      if (this.#isStopped) {
        return false;
      }
      await this.#ports.storage.commit({ checkpoint: { position, slices }, ...letters, park: [], gap });
      this.#lastAt = this.#ports.clock.now();
      this.#isUrgent = false;
      this.last = {
        offset: position.offset,
        savedAt: this.#lastAt,
        bytes: slices.reduce((bytes, slice) => bytes + slice.length, 0),
      };
      this.#saved(position);
      return true;
    } catch (error) {
      this.#deadLetters.putBack(letters);
      this.#unsaved += records;
      this.#lastAt = this.#ports.clock.now();
      this.#ports.log.error("checkpoint failed", { error: describeError(error) });
      return false;
    } finally {
      this.#saving = null;
    }
  }
}
