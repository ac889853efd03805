// Consumer instances behind /consume: members of groups that live in this process, each with its positions.
//
// Loss window, part of the contract: the position moves when records are answered. An answer lost on the way is not
// repeated to the same instance, and once committed (with the next call, under auto-commit) is lost to the group.
// A reader that must not lose records uses /fetch, which carries its offset.
import type { Clock } from "../runtime/clock.ts";
import { BridgeError, MembershipLost } from "./errors.ts";
import { GROUP_DEADLINE_MS, GroupInstance, callDeadline, groupDeadline } from "./group-instance.ts";
import type { InstanceId } from "./group-instance.ts";
import { InstanceTurns } from "./group-turns.ts";
import type { InstanceOptions } from "./instance-options.ts";
import { within } from "./kafka-errors.ts";
import type { FetchOptions, FetchedPartition, Log, TopicPartition, TopicPartitionOffset } from "./log.ts";
import type { PollGate } from "./rate-limit.ts";

/** Every instance of this process. */
export class GroupInstances {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #polls: PollGate;
  readonly #maxInstances: number;
  readonly #instances = new Map<string, GroupInstance>();
  /** Instances on their way: joining a group may take longer than the call that began it. */
  readonly #joining = new Map<string, Promise<GroupInstance>>();
  readonly #turns = new InstanceTurns();
  #isClosed = false;

  constructor(log: Log, parts: { clock: Clock; polls: PollGate; maxInstances: number }) {
    this.#log = log;
    this.#clock = parts.clock;
    this.#polls = parts.polls;
    this.#maxInstances = parts.maxInstances;
  }

  /** Reads on as an instance, which is created when it is new. */
  async consume(
    id: InstanceId,
    topics: readonly string[],
    create: InstanceOptions,
    options: FetchOptions,
  ): Promise<FetchedPartition[]> {
    const end = performance.now() + options.timeoutMs;
    const wait = { signal: options.signal, deadline: callDeadline(options.timeoutMs) };
    const read = await this.#turns.read(nameOf(id), wait, (signal) =>
      this.#polls.run(async () => {
        const instance = await this.#open(id, topics, create, groupDeadline(end - performance.now()));
        instance.usedAt = this.#clock.now();
        const timeoutMs = Math.max(0, end - performance.now());
        const fetched = await this.#asMember(instance, () => instance.consume({ ...options, timeoutMs, signal }));
        instance.usedAt = this.#clock.now();
        return fetched;
      }),
    );
    return read ?? [];
  }

  /** Commits the given positions, or what was consumed. Throws a 404 when there is neither. */
  commit(id: InstanceId, offsets: readonly TopicPartitionOffset[], deadline: AbortSignal): Promise<void> {
    return this.#turns.act(nameOf(id), deadline, async () => {
      const instance = this.#instances.get(nameOf(id));
      if (instance === undefined) {
        if (offsets.length === 0) {
          throw unknownInstance(id);
        }
        await this.#log.commit(id.group, offsets, deadline);
        return;
      }
      checkOwner(instance, id.owner);
      instance.usedAt = this.#clock.now();
      await this.#asMember(instance, () => instance.commitGiven(offsets, deadline));
    });
  }

  /** Closes an instance: its partitions go to the others of the group. Throws a 404 for an unknown one. */
  remove(id: InstanceId, deadline: AbortSignal): Promise<void> {
    return this.#turns.act(nameOf(id), deadline, async () => {
      const instance = this.#instances.get(nameOf(id));
      if (instance === undefined) {
        throw unknownInstance(id);
      }
      checkOwner(instance, id.owner);
      await this.#close(instance, deadline);
    });
  }

  /** The partitions an instance reads; none when it is unknown. Throws a 403 for one of another credential. */
  assignedTo(id: InstanceId): readonly TopicPartition[] {
    const instance = this.#instances.get(nameOf(id));
    if (instance !== undefined) {
      checkOwner(instance, id.owner);
    }
    return instance?.assigned ?? [];
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
    const isIdle = ({ usedAt, options }: GroupInstance) => usedAt + options.sessionTimeoutMs < this.#clock.now();
    const deadline = AbortSignal.timeout(GROUP_DEADLINE_MS);
    const closing = [...this.#instances.values()].filter(isIdle).map((each) =>
      this.#turns.wait(nameOf(each), deadline, async () => {
        // Whoever had the turn before has used it.
        if (isIdle(each) && this.#instances.get(nameOf(each)) === each) {
          await this.#close(each, deadline);
        }
      }),
    );
    await Promise.allSettled(closing);
  }

  /** Closes all, committing what auto-commit would, as far as the deadline lets. */
  async close(deadline: AbortSignal): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([...this.#instances.values()].map((each) => this.remove(each, deadline)));
  }

  async #open(
    { group, name, owner }: InstanceId,
    topics: readonly string[],
    options: InstanceOptions,
    deadline: AbortSignal,
  ): Promise<GroupInstance> {
    const key = nameOf({ group, name });
    const begun = this.#joining.get(key);
    if (begun !== undefined) {
      await within(deadline, begun);
    }
    const known = this.#instances.get(key);
    if (known !== undefined) {
      checkOwner(known, owner);
      if (known.topics.length === topics.length && topics.every((topic) => known.topics.includes(topic))) {
        return known;
      }
      await this.#close(known, deadline);
    }
    if (this.#instances.size + this.#joining.size >= this.#maxInstances) {
      throw new BridgeError(429, `Too many consumer instances: ${this.#maxInstances} at once`, { retryAfter: 10 });
    }
    const joining = this.#join({ group, name, owner }, topics, options).finally(() => this.#joining.delete(key));
    this.#joining.set(key, joining);
    // Where nobody waits any more, the next call finds the instance, or joins anew.
    joining.catch(() => undefined);
    return within(deadline, joining);
  }

  async #join(id: InstanceId, topics: readonly string[], options: InstanceOptions): Promise<GroupInstance> {
    const instance = await GroupInstance.join({ log: this.#log, clock: this.#clock }, id, topics, options);
    if (this.#isClosed) {
      await instance.leave(AbortSignal.timeout(GROUP_DEADLINE_MS));
      throw unknownInstance(id);
    }
    this.#instances.set(nameOf(instance), instance);
    return instance;
  }

  async #close(instance: GroupInstance, deadline: AbortSignal): Promise<void> {
    this.#instances.delete(nameOf(instance));
    await instance.leave(deadline);
  }

  /** An instance without its place is of no use: the next call joins anew. */
  async #asMember<T>(instance: GroupInstance, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof MembershipLost) {
        await this.#close(instance, AbortSignal.timeout(GROUP_DEADLINE_MS));
      }
      throw error;
    }
  }
}

const nameOf = ({ group, name }: { group: string; name: string }) => JSON.stringify([group, name]);

const unknownInstance = ({ group, name }: { group: string; name: string }) =>
  new BridgeError(404, `Unknown instance: group ${group} has no instance ${name} here`);

function checkOwner(instance: GroupInstance, owner: string): void {
  if (instance.owner !== owner) {
    throw new BridgeError(403, `Forbidden: instance ${instance.name} belongs to another credential`);
  }
}
