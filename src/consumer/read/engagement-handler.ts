// An engagement partition: records are folded, watched creators' hubs get the whole state, finished streams their
// shares, and state and position are checkpointed together.
import { restoreState } from "../checkpoint/checkpoint.ts";
import { withDeadline } from "../../runtime/deadline.ts";
import { decodeEngagement } from "../decode/decode-engagement.ts";
import { deadLetterOf, Rejected, Skipped } from "../decode/rejection.ts";
import { EngagementFold } from "../fold/engagement-fold.ts";
import { defaultFoldLimits, type FoldLimits } from "../fold/fold-state.ts";
import { endStreams } from "../fold/log-time.ts";
import type { Gap, LogRecord, Position, ReaderPorts, StoredReader } from "../ports.ts";
import { EngagementView } from "../publish/engagement-view.ts";
import { Checkpointer } from "./checkpointer.ts";
import { DeadLetterBuffer } from "./dead-letter-buffer.ts";
import type { PartitionCursor } from "./partition-cursor.ts";
import type { LoopView, PartitionHandler } from "./partition-loop.ts";
import type { Portion, Suspects } from "./suspects.ts";

const COMMIT_DEADLINE_MS = 3_000;

/** Folds one engagement partition. */
export class EngagementHandler implements PartitionHandler {
  readonly firstBeginning = "an hour ago";
  readonly hasRoom = true;
  readonly #ports: ReaderPorts;
  readonly #limits: FoldLimits;
  readonly #loop: LoopView;
  readonly #deadLetters: DeadLetterBuffer;
  readonly #checkpointer: Checkpointer;
  #fold: EngagementFold;
  #position: Position | null = null;
  #view: EngagementView;

  constructor(ports: ReaderPorts, suspects: Suspects, loop: LoopView, limits: FoldLimits = defaultFoldLimits) {
    this.#ports = ports;
    this.#limits = limits;
    this.#loop = loop;
    this.#fold = new EngagementFold(undefined, limits);
    this.#deadLetters = new DeadLetterBuffer(ports.clock);
    this.#checkpointer = new Checkpointer(ports, this.#deadLetters, (position) => {
      suspects.passed(position.offset);
      this.#commitToKafka(position.offset);
    });
    this.#view = this.#newView();
  }

  get position(): Position | null {
    return this.#position;
  }

  get logTime(): number | null {
    return this.#fold.state.time === 0 ? null : this.#fold.state.time;
  }

  get calls() {
    return this.#view.calls;
  }

  async restore(stored: StoredReader): Promise<Position | null> {
    for (const { position, slices } of stored.checkpoints) {
      try {
        const state = await restoreState(slices, this.#ports.compressor, this.#limits);
        this.#fold = new EngagementFold(state, this.#limits);
        this.#position = position;
        this.#view = this.#newView();
        return position;
      } catch (error) {
        this.#ports.log.error("checkpoint cannot be read", { offset: position.offset, error: String(error) });
      }
    }
    return null;
  }

  async begin(position: Position, gap: Gap | null): Promise<void> {
    const fold = new EngagementFold(undefined, this.#limits);
    const before = this.#position;
    if (before !== null) {
      // What was counted of streams is still owed to their hubs, under the epoch that it was counted in.
      endStreams(this.#fold.state);
      fold.state.ended.push(...this.#fold.state.ended.map((result) => ({ epoch: before.epoch, ...result })));
    }
    await this.#checkpointer.save(position, fold.state, gap);
    this.#fold = fold;
    this.#position = position;
    this.#view.rebuilt(fold.state);
  }

  follow(cursor: PartitionCursor): void {
    this.#view.follow(cursor);
  }

  async take(portion: Portion): Promise<void> {
    const position = this.#position;
    const last = portion.records.at(-1);
    if (position === null || last === undefined) {
      return;
    }
    for (const record of portion.records) {
      this.#takeRecord(position.topicId, record, portion.isCulprit);
    }
    this.#position = { ...position, offset: last.offset + 1 };
    this.#checkpointer.took(portion.records.length, portion.isCulprit);
    this.#view.changed();
  }

  async settle(): Promise<void> {
    if (this.#position !== null) {
      await this.#checkpointer.settle(this.#position, this.#fold.state);
    }
  }

  describe() {
    const { state } = this.#fold;
    const { stats } = state;
    return {
      lastPublishMs: this.#view.lastPublishMs,
      watchers: this.#view.watchers,
      checkpoint: this.#checkpointer.last,
      fold: {
        logTime: state.time,
        items: state.items.size,
        sessions: state.sessions.size,
        viewers: state.sessions.liveCount,
        openStreams: state.streams.size,
        sharesWaiting: this.#view.sharesWaiting,
        sharesGivenUp: this.#view.sharesGivenUp,
        records: stats.records,
        accepted: stats.accepted,
        duplicates: stats.duplicates,
        rejected: stats.rejected,
        skippedTypes: Object.fromEntries(stats.skippedTypes),
      },
      parked: null,
      overlap: null,
    };
  }

  stop(): void {
    this.#checkpointer.stop();
    this.#view.stop();
  }

  #newView(): EngagementView {
    return new EngagementView(this.#ports, this.#fold.state, () => this.#position, this.#loop);
  }

  #takeRecord(topicId: string, record: LogRecord, isCulprit: boolean): void {
    const decoded = isCulprit
      ? new Rejected("kills_reader", "the reader died on it three times")
      : decodeEngagement(record);
    if (decoded instanceof Rejected) {
      this.#fold.refuse(record.timestamp);
      this.#deadLetters.add(deadLetterOf(topicId, record, decoded));
    } else if (decoded instanceof Skipped) {
      this.#fold.skip(record.timestamp, decoded.type);
    } else {
      this.#fold.apply(record.timestamp, decoded);
    }
  }

  /** For lag dashboards only: a failure says nothing. */
  #commitToKafka(offset: number): void {
    const { timers, records } = this.#ports;
    withDeadline(timers, COMMIT_DEADLINE_MS, (signal) => records.commit(offset, signal)).catch(() => undefined);
  }
}
