// Everything a reader needs from the outside, as interfaces. The cores of this folder know only these, so that workerd
// and a deterministic simulation run the very same code. Every call may fail, be slow, or never answer; a crash between
// any two calls must lose and double nothing.
import type { Timers } from "../runtime/timers.ts";
import type { CreatorId, Source } from "../contract/ids.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Publish, RareBatch, RareEvent, ReaderReport, StreamShare } from "../contract/live-rpc.ts";

/** One record as the bridge gives it. `timestamp` is Kafka's, in milliseconds. */
export interface LogRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string;
  readonly value: string;
}

/** What a topic-partition holds now. Offsets from `earliest` up to, not including, `latest`. */
export interface PartitionBounds {
  /** Kafka's id of the topic: another one means that the topic was recreated. */
  readonly topicId: string;
  readonly partitions: number;
  readonly earliest: number;
  readonly latest: number;
}

/** One topic-partition of the log. */
export interface RecordSource {
  /**
   * Reads from `offset` of the topic with that id: answers as soon as one record exists, `[]` after `waitMs`. Like the
   * stock client it cannot be aborted and retries for seconds behind the caller's back, so a caller brings its own
   * deadline and never has two outstanding.
   */
  fetch(topicId: string, offset: number, waitMs: number): Promise<readonly LogRecord[]>;
  /** The same read by one plain request that `signal` aborts: for the time while an abandoned `fetch` still retries. */
  fetchOnce(topicId: string, offset: number, waitMs: number, signal: AbortSignal): Promise<readonly LogRecord[]>;
  /** The partition's bounds by one plain request that `signal` aborts; null when there is no such partition. */
  bounds(signal: AbortSignal): Promise<PartitionBounds | null>;
  /** The offset of the first record at or after the instant (ms), `latest` when there is none. Plain and abortable. */
  offsetAt(topicId: string, timestampMs: number, signal: AbortSignal): Promise<number>;
  /** Tells Kafka how far the reader is, for lag dashboards only. Plain and abortable. */
  commit(offset: number, signal: AbortSignal): Promise<void>;
}

/** Where a reader stands: the next offset to read, of which topic, under which epoch. */
export interface Position {
  readonly topicId: string;
  readonly epoch: number;
  readonly offset: number;
}

/** Why a record was set aside. */
export type DeadLetterReason = "not_json" | "not_an_event" | "invalid_field" | "too_large" | "kills_reader";

/** A record that could not be taken, with enough to look at it and to produce it again. */
export interface DeadLetter {
  readonly topicId: string;
  readonly offset: number;
  readonly timestamp: number;
  readonly reason: DeadLetterReason;
  /** What exactly does not fit; never the value itself. */
  readonly detail: string;
  readonly key: string;
  /** The raw value, cut at `MAX_DEAD_LETTER_CHARS`. */
  readonly value: string;
  readonly truncated: boolean;
}

/** Dead letters beyond what is kept, by the hour (since the epoch) in which they were set aside. */
export interface UnkeptDeadLetters {
  readonly reason: DeadLetterReason;
  readonly hour: number;
  readonly count: number;
}

/** Records that retention removed before they were read: `[from, to)`. */
export interface Gap {
  readonly topicId: string;
  readonly from: number;
  readonly to: number;
  /** When it was noticed, wall time in ms. */
  readonly at: number;
}

/** A rare event that waits because its creator's hub fails. */
export interface ParkedEvent {
  readonly creatorId: CreatorId;
  readonly epoch: number;
  readonly event: RareEvent;
}

/** State and position of one moment. `slices` are the compressed parts of the state; none for rare topics. */
export interface StoredCheckpoint {
  readonly position: Position;
  readonly slices: readonly Uint8Array[];
}

/** Records `[from, to)` under suspicion of killing the reader, and how often it died with them in hand. */
export interface Suspect {
  readonly from: number;
  readonly to: number;
  readonly deaths: number;
  /** True while they are being taken: whoever finds it so at a start died on them. */
  readonly inHand: boolean;
}

/** What a reader finds when it starts. */
export interface StoredReader {
  /** Newest first, at most two. */
  readonly checkpoints: readonly StoredCheckpoint[];
  /** The highest epoch ever used, 0 before the first. */
  readonly lastEpoch: number;
  /** Starts since the last commit that moved on, this one included: more than one means the reader died. */
  readonly starts: number;
  readonly suspect: Suspect | null;
  /** Why the reader refuses to go on until an operator resets it; null when it does not. */
  readonly stopped: string | null;
  /** False for a topic-partition that appeared after the deployment's first start. */
  readonly presentAtFirstStart: boolean;
  /** Counts of what waits for failing hubs, per creator, oldest offset first. */
  readonly parked: readonly { readonly creatorId: CreatorId; readonly events: number }[];
}

/** All that changes in one transaction. */
export interface ReaderCommit {
  readonly checkpoint: StoredCheckpoint;
  /** Found since the last commit; one already stored (same topic id and offset) is not stored twice. */
  readonly deadLetters: readonly DeadLetter[];
  readonly unkept: readonly UnkeptDeadLetters[];
  readonly park: readonly ParkedEvent[];
  readonly gap: Gap | null;
}

/** A reader's durable state. When a call has resolved, what it wrote is durable; each is one transaction. */
export interface ReaderStorage {
  /** Counts the start and answers what is stored. */
  start(): Promise<StoredReader>;
  /** Keeps this checkpoint and the one before, and what came with it; sets `starts` to 0, forgets a suspect passed. */
  commit(commit: ReaderCommit): Promise<void>;
  /** Remembers which records are suspected. */
  suspect(suspect: Suspect): Promise<void>;
  /** Remembers that the reader refuses to go on, and why. */
  stop(reason: string): Promise<void>;
  /** The oldest parked events of one creator under their epoch, in offset order. */
  parkedEvents(creatorId: CreatorId, limit: number): Promise<readonly ParkedEvent[]>;
  /** Removes a creator's parked events of that epoch below the offset. */
  unpark(creatorId: CreatorId, epoch: number, below: number): Promise<void>;
}

/** The creators' hubs. Answers are unparsed: the caller checks them by their schema. */
export interface HubPort {
  publish(publish: Publish): Promise<unknown>;
  applyRare(batch: RareBatch): Promise<unknown>;
  recordStreamShare(share: StreamShare): Promise<unknown>;
}

/** The list of watched creators. Answers are unparsed. */
export interface WatchListPort {
  report(report: ReaderReport): Promise<unknown>;
}

/** Compression of checkpoint slices. */
export interface Compressor {
  compress(bytes: Uint8Array): Promise<Uint8Array>;
  /** Throws when the result would be longer than `maxBytes`, or the bytes are damaged. */
  decompress(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array>;
}

/** All that a reader is given. `source` names the topic-partition. */
export interface ReaderPorts {
  readonly source: Source;
  readonly records: RecordSource;
  readonly storage: ReaderStorage;
  readonly hubs: HubPort;
  readonly watchList: WatchListPort;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly compressor: Compressor;
  readonly log: Log;
}
