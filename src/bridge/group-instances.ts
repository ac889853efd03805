// Consumer instances behind /consume: members of groups that live in this process, each with its positions.
//
// Loss window, part of the contract: the position moves when records are answered. An answer lost on the way is not
// repeated to the same instance, and once committed (with the next call, under auto-commit) is lost to the group.
// A reader that must not lose records uses /fetch, which carries its offset.
import type { Clock } from "../runtime/clock.ts";
import { BridgeError } from "./errors.ts";
import { GROUP_DEADLINE_MS, GroupInstance } from "./group-instance.ts";
import type { InstanceId } from "./group-instance.ts";
import type { InstanceOptions } from "./instance-options.ts";
import type { FetchOptions, FetchedPartition, Log, TopicPartition, TopicPartitionOffset } from "./log.ts";

/** Every instance of this process. */
export class GroupInstances {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #maxInstances: number;
  readonly #instances = new Map<string, GroupInstance>();
  /** Calls for one instance follow each other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(log: Log, clock: Clock, maxInstances: number) {
    this.#log = log;
    this.#clock = clock;
    this.#maxInstances = maxInstances;
  }

  /** Reads on as an instance, which is created when it is new. */
  consume(
    id: InstanceId,
    topics: readonly string[],
    create: InstanceOptions,
    fetchOptions: FetchOptions,
  ): Promise<FetchedPartition[]> {
    return this.#inTurn(id, async () => {
      const instance = await this.#open(id, topics, create);
      instance.usedAt = this.#clock.now();
      const fetched = await instance.consume(fetchOptions);
      instance.usedAt = this.#clock.now();
      return fetched;
    });
  }

  /** Commits the given positions, or what was consumed. Throws a 404 when there is neither. */
  commit(id: InstanceId, offsets: readonly TopicPartitionOffset[]): Promise<void> {
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
      await instance.commitGiven(offsets);
    });
  }

  /** Closes an instance: its partitions go to the others of the group. Throws a 404 for an unknown one. */
  remove(id: InstanceId): Promise<void> {
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
    { group, name, owner }: InstanceId,
    topics: readonly string[],
    options: InstanceOptions,
  ): Promise<GroupInstance> {
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
    const parts = { log: this.#log, clock: this.#clock };
    const instance = await GroupInstance.join(parts, { group, name, owner }, topics, options);
    this.#instances.set(nameOf(instance), instance);
    return instance;
  }

  async #close(instance: GroupInstance): Promise<void> {
    this.#instances.delete(nameOf(instance));
    await instance.leave();
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

function checkOwner(instance: GroupInstance, owner: string): void {
  if (instance.owner !== owner) {
    throw new BridgeError(403, `Forbidden: instance ${instance.name} belongs to another credential`);
  }
}
