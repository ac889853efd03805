// Hosts one partition's reader as the platform would: started by its alarm or the supervisor, killed at any time, its
// disk kept.
import type { TopicKind } from "../../src/contract/events.ts";
import type { CreatorId, Source } from "../../src/contract/ids.ts";
import { sourceOf } from "../../src/contract/ids.ts";
import type { Publish } from "../../src/contract/live-rpc.ts";
import { EngagementHandler } from "../../src/consumer/read/engagement-handler.ts";
import { RareHandler } from "../../src/consumer/read/rare-handler.ts";
import { PartitionLoop } from "../../src/consumer/read/partition-loop.ts";
import type { DeadLetter, HubPort, ReaderPorts, WatchListPort } from "../../src/consumer/ports.ts";
import type { WatchListCore } from "../../src/creator-hub/watch-list-core.ts";
import { createLog } from "../../src/runtime/log.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import { Life } from "./life.ts";
import type { Network } from "./network.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedHub } from "./simulated-hub.ts";
import { SimulatedSource, type SimulatedLog } from "./simulated-log.ts";
import { emptyDisk, type ReaderDisk, SimulatedStorage } from "./simulated-storage.ts";
import type { SkewedClock } from "./skewed-clock.ts";
import type { Skipped } from "./truth.ts";

/** What one alarm may do. */
const RUN_LIMITS = { ms: 30_000, records: 500_000, calls: 5_000 };

/** The world around a reader. */
export interface ReaderSurroundings {
  readonly kind: TopicKind;
  readonly topic: string;
  readonly partition: number;
  readonly presentAtFirstStart: boolean;
  readonly firstTopicId: string;
  /** Where the first topic of this name is to be read from. */
  readonly firstOffset: number;
  readonly log: SimulatedLog;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly network: Network;
  readonly clock: SkewedClock;
  readonly faults: () => Faults;
  /** True once days have passed. */
  readonly hasPaused: () => boolean;
  readonly hub: (creatorId: CreatorId) => SimulatedHub;
  readonly watchList: () => WatchListCore;
  readonly onPublish: (publish: Publish) => void;
  readonly onViolation: (violation: string) => void;
}

/** One topic-partition's reader. */
export class SimulatedReader {
  readonly source: Source;
  readonly clock: SkewedClock;
  readonly #world: ReaderSurroundings;
  #disk: ReaderDisk;
  /** Where the reading of each topic began. */
  readonly #began = new Map<string, number>();
  #life = new Life();

  constructor(world: ReaderSurroundings) {
    this.#world = world;
    this.source = sourceOf(world.topic, world.partition);
    this.clock = world.clock;
    this.#disk = emptyDisk(world.presentAtFirstStart);
    this.#start();
  }

  /** Records that were taken for the reader's killer and set aside: crashes at the same place are only bad luck here. */
  get setAside(): readonly DeadLetter[] {
    return this.#disk.deadLetters.filter((letter) => letter.reason === "kills_reader");
  }

  /** True when retention removed records that were not read: counting began anew. */
  get hasGap(): boolean {
    return this.#disk.gaps.length > 0;
  }

  /** True until it has stored an epoch: only a clock that is right keeps that later than those it has forgotten. */
  get isNew(): boolean {
    return this.#disk.lastEpoch === 0;
  }

  /** What of the topic this reader has not counted, by its own word. */
  skipped(topicId: string): Skipped[] {
    const killers = this.setAside.filter((letter) => letter.topicId === topicId);
    return [
      { from: 0, to: this.#began.get(topicId) ?? 0 },
      // Behind a gap counting begins anew.
      ...this.#disk.gaps.filter((gap) => gap.topicId === topicId).map(({ to }) => ({ from: 0, to })),
      ...killers.map(({ offset }) => ({ from: offset, to: offset + 1 })),
    ];
  }

  /** Dies now, and is started again after a while. */
  crash(restartAfterMs: number): void {
    this.kill();
    this.#life = new Life();
    const life = this.#life;
    life.after(this.#world.scheduler, restartAfterMs, () => this.#start());
  }

  /** Dies now and forgets all. Its clock is right then: only the clock keeps its epochs rising. */
  loseDisk(): void {
    if (this.#disk.lastEpoch < this.#world.scheduler.now()) {
      this.clock.skewMs = 0;
      this.#disk = emptyDisk(this.#world.presentAtFirstStart);
      this.#began.clear();
      this.crash(100);
    }
  }

  /** Dies now. */
  kill(): void {
    this.#life.end();
  }

  #start(): void {
    const life = this.#life;
    const { scheduler } = this.#world;
    const ports = this.#ports(life);
    const { kind } = this.#world;
    const loop = new PartitionLoop(ports, (suspects, view) =>
      kind === "engagement" ? new EngagementHandler(ports, suspects, view) : new RareHandler(ports, kind, suspects),
    );
    const run = () => {
      void loop.run(RUN_LIMITS).then(
        () => life.after(scheduler, this.#world.chance.between(0, 50), run),
        (error: unknown) => this.#world.onViolation(`${this.source} threw ${String(error)}`),
      );
    };
    run();
  }

  #ports(life: Life): ReaderPorts {
    const { log, scheduler, chance, faults, topic, partition, clock } = this.#world;
    return {
      source: this.source,
      records: new SimulatedSource(life, topic, partition, {
        log,
        scheduler,
        chance,
        faults,
        fetches: (topicId, offset, earliest) => this.#noteBegin(topicId, offset, earliest),
        committed: (offset) => this.#checkCommitted(offset),
      }),
      storage: new SimulatedStorage(life, this.#disk, scheduler, chance, () => this.#maybeDie()),
      hubs: this.#hubs(life),
      watchList: this.#watchList(life),
      timers: { after: (ms, fire) => life.after(scheduler, ms, fire) },
      clock,
      compressor: {
        compress: (bytes) => Promise.resolve(bytes.slice()),
        decompress: (bytes) => Promise.resolve(bytes.slice()),
      },
      log: createLog({}, () => undefined),
    };
  }

  #hubs(life: Life): HubPort {
    const { network, hub } = this.#world;
    return {
      publish: (publish) => {
        this.#world.onPublish(publish);
        return network.call(life, publish, (sent) => hub(sent.creatorId).call((core) => core.publish(sent)));
      },
      applyRare: (batch) =>
        network.call(life, batch, (sent) => hub(sent.creatorId).call((core) => core.applyRare(sent))),
      recordStreamShare: (share) =>
        network.call(life, share, (sent) => hub(sent.creatorId).call((core) => core.recordStreamShare(sent))),
    };
  }

  #watchList(life: Life): WatchListPort {
    const { network, watchList } = this.#world;
    return { report: (report) => network.call(life, report, (sent) => watchList().report(sent)) };
  }

  #maybeDie(): void {
    const { chance, faults } = this.#world;
    if (chance.happens(faults().readerDeathAtCommit)) {
      this.crash(chance.between(50, 2_000));
    }
  }

  /** A topic is read from its earliest record, the deployment's first one from an hour before. */
  #noteBegin(topicId: string, offset: number, earliest: number): void {
    if (!this.#began.has(topicId)) {
      const from = Math.max(earliest, topicId === this.#world.firstTopicId ? this.#world.firstOffset : 0);
      // After days an hour before is another place.
      if (offset !== from && !this.#world.hasPaused()) {
        this.#world.onViolation(`${this.source} began ${topicId} at ${offset}, not at ${from}`);
      }
      this.#began.set(topicId, offset);
    }
  }

  /** An offset that Kafka is told must be durable here. */
  #checkCommitted(offset: number): void {
    const durable = this.#disk.checkpoints[0]?.position.offset ?? 0;
    if (offset > durable) {
      this.#world.onViolation(`${this.source} committed ${offset} to Kafka, durable is ${durable}`);
    }
  }
}
