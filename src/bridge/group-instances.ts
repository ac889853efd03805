// Consumer instances behind /consume: members of groups that live in this process, each with its positions.
//
// Loss window, part of the contract: the position moves when records are answered. An answer lost on the way is not
// repeated to the same instance, and once committed (with the next call, under auto-commit) is lost to the group.
// A reader that must not lose records uses /fetch, which carries its offset.
import type { Clock } from "../runtime/clock.ts";
import { BridgeError, badRequest } from "./errors.ts";
import type { FetchOptions, FetchedPartition, GroupMember, Log, TopicPartition, TopicPartitionOffset } from "./log.ts";

/** What the headers of the creating request may set. */
export interface InstanceOptions {
  autoCommit: boolean;
  autoCommitIntervalMs: number;
  autoOffsetReset: "earliest" | "latest" | "none";
  /** An instance that nobody asked for so long is closed. */
  sessionTimeoutMs: number;
}

/** How long one read waits before the assignment is looked at again: a rebalance gives and takes partitions. */
const LOOK_MS = 1_000;
/** Pause before an instance without partitions looks again. */
const IDLE_PAUSE_MS = 100;
/** How long joining, committing or looking positions up may take within a call. */
const GROUP_DEADLINE_MS = 10_000;

interface Instance {
  group: string;
  name: string;
  /** Only the credential that made an instance may use it. */
  owner: string;
  topics: readonly string[];
  options: InstanceOptions;
  member: GroupMember;
  /** Next offsets to read, by topic and partition. */
  positions: Map<string, TopicPartitionOffset>;
  /** Positions not committed yet. */
  uncommitted: Map<string, TopicPartitionOffset>;
  assigned: TopicPartition[];
  committedAt: number;
  usedAt: number;
}

const keyOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

/** Every instance of this process. */
export class GroupInstances {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #maxInstances: number;
  readonly #instances = new Map<string, Instance>();
  /** Calls for one instance follow each other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(log: Log, clock: Clock, maxInstances: number) {
    this.#log = log;
    this.#clock = clock;
    this.#maxInstances = maxInstances;
  }

  /** Reads on as an instance, which is created when it is new. */
  consume(
    id: { group: string; name: string; owner: string },
    topics: readonly string[],
    create: InstanceOptions,
    fetchOptions: FetchOptions,
  ): Promise<FetchedPartition[]> {
    return this.#inTurn(id, async () => {
      const instance = await this.#open(id, topics, create);
      instance.usedAt = this.#clock.now();
      await this.#autoCommit(instance);
      const fetched = await this.#read(instance, fetchOptions);
      instance.usedAt = this.#clock.now();
      return fetched;
    });
  }

  /** Commits the given positions, or what was consumed. Throws a 404 when there is neither. */
  commit(id: { group: string; name: string; owner: string }, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    return this.#inTurn(id, async () => {
      const instance = this.#instances.get(nameOf(id));
      const deadline = AbortSignal.timeout(GROUP_DEADLINE_MS);
      if (instance === undefined) {
        if (offsets.length === 0) {
          throw unknownInstance(id);
        }
        await this.#log.commit(id.group, offsets, deadline);
        return;
      }
      checkOwner(instance, id.owner);
      instance.usedAt = this.#clock.now();
      await this.#commit(instance, offsets.length > 0 ? offsets : [...instance.uncommitted.values()]);
    });
  }

  /** Closes an instance: its partitions go to the others of the group. Throws a 404 for an unknown one. */
  remove(id: { group: string; name: string; owner: string }): Promise<void> {
    return this.#inTurn(id, async () => {
      const instance = this.#instances.get(nameOf(id));
      if (instance === undefined) {
        throw unknownInstance(id);
      }
      checkOwner(instance, id.owner);
      await this.#close(instance);
    });
  }

  /** The partitions an instance reads; none when it is unknown. */
  assignedTo(group: string, name: string): readonly TopicPartition[] {
    return this.#instances.get(nameOf({ group, name }))?.assigned ?? [];
  }

  /** What `/consumers` answers. */
  list(mayUse: (topic: string) => boolean) {
    const groups = Map.groupBy(this.#instances.values(), ({ group }) => group);
    return [...groups].flatMap(([name, members]) => {
      const visible = members.filter(({ topics }) => topics.every(mayUse));
      const instances = visible.map((member) => ({
        name: member.name,
        topics: member.topics.map((topic) => ({
          topic,
          partitions: member.assigned.filter((each) => each.topic === topic).map(({ partition }) => partition),
        })),
      }));
      return instances.length === 0 ? [] : [{ name, instances }];
    });
  }

  get count(): number {
    return this.#instances.size;
  }

  /** Closes instances that nobody has asked for too long. */
  async reap(): Promise<void> {
    const now = this.#clock.now();
    const idle = [...this.#instances.values()].filter(({ usedAt, options }) => usedAt + options.sessionTimeoutMs < now);
    await Promise.allSettled(idle.map((each) => this.remove(each)));
  }

  /** Closes all, committing what auto-commit would. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#instances.values()].map((each) => this.remove(each)));
  }

  async #open(
    { group, name, owner }: { group: string; name: string; owner: string },
    topics: readonly string[],
    options: InstanceOptions,
  ): Promise<Instance> {
    const known = this.#instances.get(nameOf({ group, name }));
    if (known !== undefined) {
      checkOwner(known, owner);
      if (known.topics.length === topics.length && topics.every((topic) => known.topics.includes(topic))) {
        return known;
      }
      await this.#close(known);
    }
    if (this.#instances.size >= this.#maxInstances) {
      throw new BridgeError(429, `Too many consumer instances: ${this.#maxInstances} at once`, { retryAfter: 10 });
    }
    const { sessionTimeoutMs } = options;
    const member = await this.#log.join(
      { group, instance: name, topics, sessionTimeoutMs },
      AbortSignal.timeout(GROUP_DEADLINE_MS),
    );
    const now = this.#clock.now();
    const instance: Instance = {
      group,
      name,
      owner,
      topics,
      options,
      member,
      positions: new Map(),
      uncommitted: new Map(),
      assigned: [],
      committedAt: now,
      usedAt: now,
    };
    this.#instances.set(nameOf(instance), instance);
    return instance;
  }

  async #read(instance: Instance, options: FetchOptions): Promise<FetchedPartition[]> {
    const end = performance.now() + options.timeoutMs;
    for (;;) {
      await this.#assign(instance);
      const left = Math.max(0, end - performance.now());
      const positions = [...instance.positions.values()];
      if (positions.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(left, IDLE_PAUSE_MS)));
      } else {
        const fetched = await this.#fetch(instance, positions, { ...options, timeoutMs: Math.min(left, LOOK_MS) });
        await this.#assign(instance);
        // A partition that was taken away meanwhile is read by its new owner.
        const kept = fetched.filter((each) => instance.positions.has(keyOf(each)));
        for (const { topic, partition, nextOffset: offset } of kept) {
          instance.positions.set(keyOf({ topic, partition }), { topic, partition, offset });
        }
        const delivered = kept.filter(({ count }) => count > 0);
        for (const { topic, partition, nextOffset: offset } of delivered) {
          instance.uncommitted.set(keyOf({ topic, partition }), { topic, partition, offset });
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
  async #fetch(
    instance: Instance,
    positions: readonly TopicPartitionOffset[],
    options: FetchOptions,
  ): Promise<FetchedPartition[]> {
    try {
      return await this.#log.fetch(positions, options);
    } catch (error) {
      if (!(error instanceof BridgeError) || error.status !== 416 || instance.options.autoOffsetReset === "none") {
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
          const offset = instance.options.autoOffsetReset === "earliest" ? first : last;
          instance.positions.set(keyOf(position), { ...position, offset });
        }
      });
      return this.#log.fetch([...instance.positions.values()], options);
    }
  }

  /** Follows the assignment: forgets partitions taken away, finds where to begin in those newly given. */
  async #assign(instance: Instance): Promise<void> {
    const deadline = AbortSignal.timeout(GROUP_DEADLINE_MS);
    instance.assigned = await instance.member.assignment(deadline);
    const assigned = new Set(instance.assigned.map(keyOf));
    for (const key of instance.positions.keys()) {
      if (!assigned.has(key)) {
        instance.positions.delete(key);
        instance.uncommitted.delete(key);
      }
    }
    const fresh = instance.assigned.filter((each) => !instance.positions.has(keyOf(each)));
    if (fresh.length === 0) {
      return;
    }
    const committed = await this.#log.committed(instance.group, fresh, deadline);
    const without = committed.filter(({ offset }) => offset < 0);
    const { autoOffsetReset: reset } = instance.options;
    if (reset === "none" && without[0] !== undefined) {
      const { topic, partition } = without[0];
      throw new BridgeError(409, `No committed offset: ${instance.group} has none for ${topic}/${partition}`);
    }
    const begin = reset === "none" ? [] : await this.#log.offsets(without, reset, deadline);
    for (const position of [...committed.filter(({ offset }) => offset >= 0), ...begin]) {
      instance.positions.set(keyOf(position), position);
    }
  }

  async #autoCommit(instance: Instance): Promise<void> {
    const { autoCommit, autoCommitIntervalMs } = instance.options;
    if (autoCommit && this.#clock.now() - instance.committedAt >= autoCommitIntervalMs) {
      await this.#commit(instance, [...instance.uncommitted.values()]);
    }
  }

  async #commit(instance: Instance, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    if (offsets.length > 0) {
      await instance.member.commit(offsets);
    }
    instance.committedAt = this.#clock.now();
    for (const position of offsets) {
      instance.uncommitted.delete(keyOf(position));
    }
  }

  async #close(instance: Instance): Promise<void> {
    this.#instances.delete(nameOf(instance));
    if (instance.options.autoCommit) {
      // The group may have moved on without this member; then others have read, or will read, from there.
      await this.#commit(instance, [...instance.uncommitted.values()]).catch(() => undefined);
    }
    await instance.member.leave();
  }

  async #inTurn<T>(id: { group: string; name: string }, work: () => Promise<T>): Promise<T> {
    const name = nameOf(id);
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(work);
    const settled = turn.catch(() => undefined);
    this.#turns.set(name, settled);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === settled) {
        this.#turns.delete(name);
      }
    }
  }
}

const nameOf = ({ group, name }: { group: string; name: string }) => JSON.stringify([group, name]);

const unknownInstance = ({ group, name }: { group: string; name: string }) =>
  new BridgeError(404, `Unknown instance: group ${group} has no instance ${name} here`);

function checkOwner(instance: Instance, owner: string): void {
  if (instance.owner !== owner) {
    throw new BridgeError(403, `Forbidden: instance ${instance.name} belongs to another credential`);
  }
}

/** The settings in the headers of a creating request; the contract's defaults. Throws a 400 for values it does not know. */
export function instanceOptions(header: (name: string) => string | undefined): InstanceOptions {
  const number = (name: string, byDefault: number, least: number, most: number) => {
    const value = Number(header(name) ?? byDefault);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw badRequest(`Invalid request: ${name}: ${least} to ${most} milliseconds`);
    }
    return value;
  };
  const autoCommit = header("Kafka-Enable-Auto-Commit") ?? "true";
  if (autoCommit !== "true" && autoCommit !== "false") {
    throw badRequest("Invalid request: Kafka-Enable-Auto-Commit: true or false");
  }
  const reset = header("Kafka-Auto-Offset-Reset") ?? "latest";
  if (reset !== "earliest" && reset !== "latest" && reset !== "none") {
    throw badRequest("Invalid request: Kafka-Auto-Offset-Reset: earliest, latest or none");
  }
  return {
    autoCommit: autoCommit === "true",
    autoCommitIntervalMs: number("Kafka-Auto-Commit-Interval", 5_000, 0, 3_600_000),
    autoOffsetReset: reset,
    sessionTimeoutMs: number("Kafka-Session-Timeout-Ms", 120_000, 1_000, 1_800_000),
  };
}
