// Consumer groups of the embedded log: stored positions, and which member of this process reads which partition.
import { appendFileSync, writeFileSync, renameSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { BridgeError, MembershipLost } from "./errors.ts";
import type { GroupMember, JoinOptions, TopicInfo, TopicPartition, TopicPartitionOffset } from "./log.ts";

const line = z.object({
  group: z.string(),
  topicId: z.string(),
  partition: z.number().int(),
  offset: z.number().int(),
});
type Line = z.infer<typeof line>;

/** Committed offsets, durable, and members, which live as long as the process. */
export class EmbeddedGroups {
  readonly #path: string;
  readonly #topic: (name: string) => TopicInfo | undefined;
  /** By group, then by topic id and partition: a recreated topic starts without positions. */
  readonly #offsets = new Map<string, Map<string, Line>>();
  readonly #members = new Map<string, Map<string, readonly string[]>>();
  /** By group: how often its partitions were dealt out. */
  readonly #generations = new Map<string, number>();

  constructor(path: string, topic: (name: string) => TopicInfo | undefined) {
    this.#path = path;
    this.#topic = topic;
  }

  /** Reads the stored positions and writes them back without what later ones replaced. */
  async load(): Promise<void> {
    const text = await readFile(this.#path, "utf8").catch(() => "");
    for (const each of text.split("\n")) {
      // A killed process may leave a last line unfinished; it was never acknowledged.
      const parsed = line.safeParse(parseJson(each));
      if (parsed.success) {
        this.#set(parsed.data);
      }
    }
    const kept = [...this.#offsets.values()].flatMap((positions) => [...positions.values()]);
    writeFileSync(`${this.#path}.new`, kept.map((each) => `${JSON.stringify(each)}\n`).join(""));
    renameSync(`${this.#path}.new`, this.#path);
  }

  /** Stores positions for a group that has no members. */
  commit(group: string, offsets: readonly TopicPartitionOffset[]): void {
    if ((this.#members.get(group)?.size ?? 0) > 0) {
      throw new BridgeError(409, `Group ${group} has members: only they may commit`);
    }
    this.#store(group, offsets);
  }

  /** -1 for a partition without a stored position. */
  committed(group: string, partitions: readonly TopicPartition[]): TopicPartitionOffset[] {
    const positions = this.#offsets.get(group);
    return partitions.map(({ topic, partition }) => {
      const stored = positions?.get(`${this.#topic(topic)?.topicId ?? ""}/${partition}`);
      return { topic, partition, offset: stored?.offset ?? -1 };
    });
  }

  /** Adds a member; the partitions are dealt out anew among all members. */
  join({ group, instance, topics }: JoinOptions): GroupMember {
    const members = this.#members.get(group) ?? new Map<string, readonly string[]>();
    this.#members.set(group, members);
    members.set(instance, topics);
    this.#deal(group);
    const check = () => {
      if (members.get(instance) !== topics) {
        throw new MembershipLost(group, instance);
      }
    };
    return {
      assignment: async () => {
        check();
        const generation = this.#generations.get(group) ?? 0;
        return { membership: instance, generation, partitions: this.#assignment(members, instance) };
      },
      commit: async (offsets) => {
        check();
        this.#store(group, offsets);
      },
      leave: async () => {
        if (members.get(instance) === topics) {
          members.delete(instance);
          this.#deal(group);
        }
      },
    };
  }

  #deal(group: string): void {
    this.#generations.set(group, (this.#generations.get(group) ?? 0) + 1);
  }

  /** Partition `p` of a topic goes to the subscriber numbered `p` modulo their count, in the order of their names. */
  #assignment(members: Map<string, readonly string[]>, instance: string): TopicPartition[] {
    return (members.get(instance) ?? []).flatMap((topic) => {
      const names = [...members].filter(([, topics]) => topics.includes(topic)).map(([name]) => name);
      const place = names.toSorted().indexOf(instance);
      const count = this.#topic(topic)?.partitions ?? 0;
      return Array.from({ length: count }, (_, partition) => ({ topic, partition })).filter(
        ({ partition }) => partition % names.length === place,
      );
    });
  }

  #store(group: string, offsets: readonly TopicPartitionOffset[]): void {
    const lines = offsets.map(({ topic, partition, offset }) => {
      return { group, topicId: this.#topic(topic)?.topicId ?? "", partition, offset };
    });
    appendFileSync(this.#path, lines.map((each) => `${JSON.stringify(each)}\n`).join(""));
    lines.forEach((each) => this.#set(each));
  }

  #set(position: Line): void {
    const positions = this.#offsets.get(position.group) ?? new Map<string, Line>();
    this.#offsets.set(position.group, positions);
    positions.set(`${position.topicId}/${position.partition}`, position);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
