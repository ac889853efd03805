// One consumer instance: a member of a group, the partitions it was given, and its positions in them.
import type { Clock } from "../runtime/clock.ts";
import { BridgeError } from "./errors.ts";
import type { InstanceOptions } from "./instance-options.ts";
import type { FetchOptions, FetchedPartition, GroupMember, Log, TopicPartition, TopicPartitionOffset } from "./log.ts";

/** How long one read waits before the assignment is looked at again: a rebalance gives and takes partitions. */
const LOOK_MS = 1_000;
/** Pause before an instance without partitions looks again. */
const IDLE_PAUSE_MS = 100;
/** How long joining, committing or looking positions up may take within a call. */
export const GROUP_DEADLINE_MS = 10_000;

/** Who an instance is, and for whom: only the credential that made an instance may use it. */
export interface InstanceId {
  group: string;
  name: string;
  owner: string;
}

const keyOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

/** A member of a group in this process. Calls for one instance must follow each other. */
export class GroupInstance implements InstanceId {
  readonly group: string;
  readonly name: string;
  readonly owner: string;
  readonly topics: readonly string[];
  readonly options: InstanceOptions;
  /** When it was last asked for. */
  usedAt: number;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #member: GroupMember;
  /** Next offsets to read, by topic and partition. */
  readonly #positions = new Map<string, TopicPartitionOffset>();
  /** Positions not committed yet. */
  readonly #uncommitted = new Map<string, TopicPartitionOffset>();
  #assigned: TopicPartition[] = [];
  #committedAt: number;

  private constructor(
    parts: { log: Log; clock: Clock },
    { group, name, owner }: InstanceId,
    topics: readonly string[],
    options: InstanceOptions,
    member: GroupMember,
  ) {
    this.#log = parts.log;
    this.#clock = parts.clock;
    this.group = group;
    this.name = name;
    this.owner = owner;
    this.topics = topics;
    this.options = options;
    this.#member = member;
    this.usedAt = this.#clock.now();
    this.#committedAt = this.usedAt;
  }

  /** Joins the group. */
  static async join(
    parts: { log: Log; clock: Clock },
    id: InstanceId,
    topics: readonly string[],
    options: InstanceOptions,
  ): Promise<GroupInstance> {
    const { sessionTimeoutMs } = options;
    const joining = { group: id.group, instance: id.name, topics, sessionTimeoutMs };
    const member = await parts.log.join(joining, AbortSignal.timeout(GROUP_DEADLINE_MS));
    return new GroupInstance(parts, id, topics, options, member);
  }

  /** The partitions it reads. */
  get assigned(): readonly TopicPartition[] {
    return this.#assigned;
  }

  /** Reads on; commits before, where that is due, what earlier calls answered. */
  async consume(options: FetchOptions): Promise<FetchedPartition[]> {
    await this.#autoCommit();
    return this.#read(options);
  }

  /** Commits the given positions, or what was consumed. */
  commitGiven(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    return this.#commit(offsets.length > 0 ? offsets : [...this.#uncommitted.values()]);
  }

  /** Leaves the group, committing what auto-commit would. */
  async leave(): Promise<void> {
    if (this.options.autoCommit) {
      // The group may have moved on without this member; then others have read, or will read, from there.
      await this.#commit([...this.#uncommitted.values()]).catch(() => undefined);
    }
    await this.#member.leave();
  }

  async #read(options: FetchOptions): Promise<FetchedPartition[]> {
    const end = performance.now() + options.timeoutMs;
    for (;;) {
      await this.#assign();
      const left = Math.max(0, end - performance.now());
      const positions = [...this.#positions.values()];
      if (positions.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(left, IDLE_PAUSE_MS)));
      } else {
        const fetched = await this.#fetch(positions, { ...options, timeoutMs: Math.min(left, LOOK_MS) });
        await this.#assign();
        // A partition that was taken away meanwhile is read by its new owner.
        const kept = fetched.filter((each) => this.#positions.has(keyOf(each)));
        for (const { topic, partition, nextOffset: offset } of kept) {
          this.#positions.set(keyOf({ topic, partition }), { topic, partition, offset });
        }
        const delivered = kept.filter(({ count }) => count > 0);
        for (const { topic, partition, nextOffset: offset } of delivered) {
          this.#uncommitted.set(keyOf({ topic, partition }), { topic, partition, offset });
        }
        if (delivered.length > 0) {
          return delivered;
        }
      }
      if (performance.now() >= end || options.signal.aborted) {
        return [];
      }
    }
  }

  /** Reads; a position that retention has overtaken is reset as the instance was told. */
  async #fetch(positions: readonly TopicPartitionOffset[], options: FetchOptions): Promise<FetchedPartition[]> {
    try {
      return await this.#log.fetch(positions, options);
    } catch (error) {
      if (!(error instanceof BridgeError) || error.status !== 416 || this.options.autoOffsetReset === "none") {
        throw error;
      }
      const deadline = AbortSignal.timeout(GROUP_DEADLINE_MS);
      const [earliest, latest] = await Promise.all([
        this.#log.offsets(positions, "earliest", deadline),
        this.#log.offsets(positions, "latest", deadline),
      ]);
      positions.forEach((position, i) => {
        const first = earliest[i]?.offset ?? 0;
        const last = latest[i]?.offset ?? 0;
        if (position.offset < first || position.offset > last) {
          const offset = this.options.autoOffsetReset === "earliest" ? first : last;
          this.#positions.set(keyOf(position), { ...position, offset });
        }
      });
      return this.#log.fetch([...this.#positions.values()], options);
    }
  }

  /** Follows the assignment: forgets partitions taken away, finds where to begin in those newly given. */
  async #assign(): Promise<void> {
    const deadline = AbortSignal.timeout(GROUP_DEADLINE_MS);
    this.#assigned = await this.#member.assignment(deadline);
    const assigned = new Set(this.#assigned.map(keyOf));
    for (const key of this.#positions.keys()) {
      if (!assigned.has(key)) {
        this.#positions.delete(key);
        this.#uncommitted.delete(key);
      }
    }
    const fresh = this.#assigned.filter((each) => !this.#positions.has(keyOf(each)));
    if (fresh.length === 0) {
      return;
    }
    const committed = await this.#log.committed(this.group, fresh, deadline);
    const without = committed.filter(({ offset }) => offset < 0);
    const { autoOffsetReset: reset } = this.options;
    if (reset === "none" && without[0] !== undefined) {
      const { topic, partition } = without[0];
      throw new BridgeError(409, `No committed offset: ${this.group} has none for ${topic}/${partition}`);
    }
    const begin = reset === "none" ? [] : await this.#log.offsets(without, reset, deadline);
    for (const position of [...committed.filter(({ offset }) => offset >= 0), ...begin]) {
      this.#positions.set(keyOf(position), position);
    }
  }

  async #autoCommit(): Promise<void> {
    const { autoCommit, autoCommitIntervalMs } = this.options;
    if (autoCommit && this.#clock.now() - this.#committedAt >= autoCommitIntervalMs) {
      await this.#commit([...this.#uncommitted.values()]);
    }
  }

  async #commit(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    if (offsets.length > 0) {
      await this.#member.commit(offsets);
    }
    this.#committedAt = this.#clock.now();
    for (const position of offsets) {
      this.#uncommitted.delete(keyOf(position));
    }
  }
}
