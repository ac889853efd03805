// One consumer instance: a member of a group, the partitions it was given, and its positions in them.
import type { Clock } from "../runtime/clock.ts";
import { BridgeError, unknownPartition, unknownTopic } from "./errors.ts";
import { GroupPositions } from "./group-positions.ts";
import type { InstanceOptions } from "./instance-options.ts";
import { pause } from "./kafka-errors.ts";
import type { FetchOptions, FetchPosition, FetchedPartition, GroupMember, Log, TopicPartitionOffset } from "./log.ts";

/** How long one read waits before the assignment is looked at again: a rebalance gives and takes partitions. */
const LOOK_MS = 1_000;
/** Pause before an instance without partitions looks again. */
const IDLE_PAUSE_MS = 100;
/** How long joining, leaving, committing or looking positions up may take. */
export const GROUP_DEADLINE_MS = 10_000;
/** What a call that asks not to wait gives Kafka all the same, milliseconds: as much as a fetch does. */
const LEAST_DEADLINE_MS = 1_000;
/** What is left to the steps at the end of a call that has waited for as long as it was to, milliseconds. */
const MARGIN_MS = 250;

/** When Kafka counts as hung for a call that is to take so many milliseconds, on the clock of `performance`. */
const lastMoment = (timeoutMs: number) => performance.now() + Math.max(LEAST_DEADLINE_MS, timeoutMs);

/** The deadline of a step of a call. */
function until(last: number): AbortSignal {
  return AbortSignal.timeout(Math.ceil(Math.min(GROUP_DEADLINE_MS, Math.max(MARGIN_MS, last - performance.now()))));
}

/** The deadline of what a call that is to take so many milliseconds asks of Kafka in one step. */
export const groupDeadline = (timeoutMs: number) => until(lastMoment(timeoutMs));

/** When a call that is to take so many milliseconds has waited for others long enough. */
export const callDeadline = (timeoutMs: number) => AbortSignal.timeout(Math.max(LEAST_DEADLINE_MS, timeoutMs));

/** Who an instance is, and for whom: only the credential that made an instance may use it. */
export interface InstanceId {
  group: string;
  name: string;
  owner: string;
}

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
  readonly #positions = new GroupPositions();
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
  get assigned() {
    return this.#positions.assigned;
  }

  /** Reads on; commits before, where that is due, what earlier calls answered. */
  async consume(options: FetchOptions): Promise<FetchedPartition[]> {
    const end = performance.now() + options.timeoutMs;
    const last = lastMoment(options.timeoutMs);
    await this.#follow(until(last));
    const { autoCommit, autoCommitIntervalMs } = this.options;
    if (autoCommit && this.#clock.now() - this.#committedAt >= autoCommitIntervalMs) {
      await this.#commit(this.#positions.uncommitted, until(last));
    }
    return this.#read(options, end, last);
  }

  /** Commits the given positions, or what was consumed. Throws a 409 for partitions that are no longer this member's. */
  async commitGiven(offsets: readonly TopicPartitionOffset[], deadline: AbortSignal): Promise<void> {
    const { consumed } = this.#positions;
    await this.#follow(deadline);
    for (const { topic, partition } of offsets.filter((each) => !this.#positions.isAssigned(each))) {
      const found = await this.#log.topic(topic, deadline, { fresh: true });
      if (found === undefined) {
        throw unknownTopic(topic);
      }
      throw partition < found.partitions
        ? new BridgeError(409, `Conflict: ${topic}/${partition} is not assigned to instance ${this.name}`)
        : unknownPartition(topic, partition);
    }
    if (offsets.length > 0) {
      await this.#commit(offsets, deadline);
      return;
    }
    const kept = this.#positions.consumed;
    await this.#commit(kept, deadline);
    if (kept.length < consumed.length) {
      throw new BridgeError(
        409,
        `Conflict: some of what instance ${this.name} was given is read again, by whoever has it`,
      );
    }
  }

  /** Leaves the group, committing what auto-commit would. */
  async leave(deadline: AbortSignal): Promise<void> {
    if (this.options.autoCommit) {
      try {
        await this.#follow(deadline);
        await this.#commit(this.#positions.uncommitted, deadline);
      } catch {
        // The group may have moved on without this member; then others have read, or will read, from there.
      }
    }
    await this.#member.leave(deadline);
  }

  async #read(options: FetchOptions, end: number, last: number): Promise<FetchedPartition[]> {
    for (;;) {
      // Whoever asked is gone, or wants something else first: what would be read now would be lost.
      if (options.signal.aborted) {
        return [];
      }
      await this.#begin(until(last));
      const left = Math.max(0, end - performance.now());
      const { next } = this.#positions;
      const wait = next.length === 0 ? pause(Math.min(left, IDLE_PAUSE_MS), options.signal) : undefined;
      const fetched =
        wait === undefined ? await this.#fetch(next, { ...options, timeoutMs: Math.min(left, LOOK_MS) }) : [];
      await wait;
      // A partition that was taken away meanwhile is read by its new owner.
      await this.#follow(until(last));
      if (options.signal.aborted) {
        return [];
      }
      const delivered = this.#positions.advance(fetched);
      if (delivered.length > 0 || performance.now() >= end) {
        return delivered;
      }
    }
  }

  /** Reads; a position that retention has overtaken, or whose topic is another one now, is found anew. */
  async #fetch(positions: readonly FetchPosition[], options: FetchOptions): Promise<FetchedPartition[]> {
    try {
      return await this.#log.fetch(positions, options);
    } catch (error) {
      const status = error instanceof BridgeError ? error.status : 500;
      const deadline = groupDeadline(options.timeoutMs);
      if (status === 409) {
        await this.#follow(deadline, { fresh: true });
      } else if (status === 416 && this.options.autoOffsetReset !== "none") {
        await this.#reset(positions, deadline);
      } else {
        throw error;
      }
      return [];
    }
  }

  async #reset(positions: readonly FetchPosition[], deadline: AbortSignal): Promise<void> {
    const [earliest, latest] = await Promise.all([
      this.#log.offsets(positions, "earliest", deadline),
      this.#log.offsets(positions, "latest", deadline),
    ]);
    positions.forEach((position, i) => {
      const first = earliest[i]?.offset ?? 0;
      const last = latest[i]?.offset ?? 0;
      if (position.offset < first || position.offset > last) {
        this.#positions.begin({ ...position, offset: this.options.autoOffsetReset === "earliest" ? first : last });
      }
    });
  }

  /** Takes in the assignment, and forgets what is known of topics that are others now under their names. */
  async #follow(deadline: AbortSignal, { fresh = false } = {}): Promise<void> {
    this.#positions.follow(await this.#member.assignment(deadline));
    const topicIds = new Map(this.#positions.next.map(({ topic, topicId }) => [topic, topicId]));
    for (const [name, topicId] of topicIds) {
      const found = await this.#log.topic(name, deadline, { fresh });
      if (found?.topicId !== topicId) {
        this.#positions.forget(({ topic }) => topic === name);
      }
    }
  }

  /** Finds where to begin in partitions newly given. */
  async #begin(deadline: AbortSignal): Promise<void> {
    const { fresh } = this.#positions;
    if (fresh.length === 0) {
      return;
    }
    const topicIds = new Map<string, string | undefined>();
    for (const topic of new Set(fresh.map((each) => each.topic))) {
      topicIds.set(topic, (await this.#log.topic(topic, deadline))?.topicId);
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
      this.#positions.begin({ ...position, topicId: topicIds.get(position.topic) });
    }
  }

  async #commit(offsets: readonly TopicPartitionOffset[], deadline: AbortSignal): Promise<void> {
    if (offsets.length > 0) {
      try {
        await this.#member.commit(offsets, deadline);
      } catch (error) {
        if (error instanceof BridgeError && error.status === 409) {
          // Others have these partitions, or will have: what was read of them here is no longer ours to commit.
          this.#positions.forget();
        }
        throw error;
      }
    }
    this.#committedAt = this.#clock.now();
    this.#positions.committed(offsets);
  }
}
