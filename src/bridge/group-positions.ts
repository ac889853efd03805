// Where a member of a group reads, and what it has given: valid for as long as it has held a partition without a break.
import type { Assignment, FetchPosition, FetchedPartition, TopicPartition, TopicPartitionOffset } from "./log.ts";

const keyOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;

/** The positions of one member. */
export class GroupPositions {
  #assignment: Assignment = { membership: "", generation: 0, partitions: [] };
  #assigned = new Set<string>();
  /** Next offsets to read. */
  readonly #next = new Map<string, FetchPosition>();
  /** Behind the last records that were given. */
  readonly #consumed = new Map<string, TopicPartitionOffset>();
  /** Which of those auto-commit has not stored yet. */
  readonly #uncommitted = new Set<string>();

  /** The partitions it reads. */
  get assigned(): readonly TopicPartition[] {
    return this.#assignment.partitions;
  }

  isAssigned(partition: TopicPartition): boolean {
    return this.#assigned.has(keyOf(partition));
  }

  /**
   * Takes in the assignment. In the generation after the one seen last, a partition held in both was never anybody
   * else's; whatever came between two further apart, or to another membership, may have been read and committed elsewhere.
   */
  follow(assignment: Assignment): void {
    const { membership, generation } = this.#assignment;
    const isUnbroken = assignment.membership === membership && assignment.generation - generation <= 1;
    if (!isUnbroken || assignment.generation < generation) {
      this.forget();
    }
    this.#assignment = assignment;
    this.#assigned = new Set(assignment.partitions.map(keyOf));
    this.forget((each) => !this.isAssigned(each));
  }

  /** Forgets partitions; all of them unless told. */
  forget(which: (partition: TopicPartition) => boolean = () => true): void {
    for (const [key, position] of [...this.#next, ...this.#consumed]) {
      if (which(position)) {
        this.#next.delete(key);
        this.#consumed.delete(key);
        this.#uncommitted.delete(key);
      }
    }
  }

  /** Partitions that have been assigned and have no position yet. */
  get fresh(): TopicPartition[] {
    return this.assigned.filter((each) => !this.#next.has(keyOf(each)));
  }

  /** Where to read. */
  get next(): FetchPosition[] {
    return [...this.#next.values()];
  }

  /** Sets where to read a partition next. */
  begin(position: FetchPosition): void {
    this.#next.set(keyOf(position), position);
  }

  /** Moves on behind what was read of partitions that are still held; answers those that gave records. */
  advance(fetched: readonly FetchedPartition[]): FetchedPartition[] {
    const kept = fetched.filter((each) => this.#next.has(keyOf(each)));
    for (const { topic, partition, count, nextOffset: offset } of kept) {
      const key = keyOf({ topic, partition });
      this.#next.set(key, { ...this.#next.get(key), topic, partition, offset });
      if (count > 0) {
        this.#consumed.set(key, { topic, partition, offset });
        this.#uncommitted.add(key);
      }
    }
    return kept.filter(({ count }) => count > 0);
  }

  /** Behind everything that was given, committed or not. */
  get consumed(): TopicPartitionOffset[] {
    return [...this.#consumed.values()];
  }

  /** What auto-commit has to store. */
  get uncommitted(): TopicPartitionOffset[] {
    return this.consumed.filter((each) => this.#uncommitted.has(keyOf(each)));
  }

  /** Notes a commit: auto-commit does not overrule it. */
  committed(offsets: readonly TopicPartitionOffset[]): void {
    offsets.forEach((each) => this.#uncommitted.delete(keyOf(each)));
  }
}
