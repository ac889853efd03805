// One simulated history: producers, the log, readers, the watch list, hubs and dashboards in one queue of acts, with
// faults drawn from the seed. Ends with a rest, at which every dashboard must show what the logs say.
import { defaultTopics, type TopicKind } from "../../src/contract/events.ts";
import { contentIdSchema, type CreatorId, creatorIdSchema, sourceOf } from "../../src/contract/ids.ts";
import { LIVE_RPC_VERSION, type Publish } from "../../src/contract/live-rpc.ts";
import { partitionOf } from "../../src/contract/partitioner.ts";
import type { WatchListPort } from "../../src/creator-hub/lease-keeper.ts";
import { Chance } from "./chance.ts";
import { calm, drawFaults, type Faults } from "./faults.ts";
import { Life } from "./life.ts";
import { Network } from "./network.ts";
import { Pace } from "./pace.ts";
import { Scheduler } from "./scheduler.ts";
import { SimulatedHub } from "./simulated-hub.ts";
import { SimulatedLog } from "./simulated-log.ts";
import { SimulatedReader } from "./simulated-reader.ts";
import { SimulatedWatchList } from "./simulated-watch-list.ts";
import { SkewedClock } from "./skewed-clock.ts";
import { PartitionTruth, type Skipped } from "./truth.ts";
import { faultsOf, streamFaultsOf } from "./verdict.ts";
import { creatorIds, streamOf, Workload } from "./workload.ts";

const START = Date.parse("2026-11-20T10:00:00Z");
const HOUR_MS = 3_600_000;
const PAUSE_MS = 50 * HOUR_MS;
const ENGAGEMENT_PARTITIONS = 2;
const MOST_PARTITIONS = 4;
/** How long a rest may take: the slowest thing that heals by itself is a hub's doubt about a reader that is behind. */
const FIRST_REST_MS = 12_000;
/** A dashboard that has just been opened sees everything within this time. */
const SETTLE_MS = 3_000;
const LONGEST_REST_MS = 180_000;
/** A stream ends after two quiet minutes; a share that failed is sent again within one. */
const LAST_STREAM_MS = 125_000;
const LAST_SHARE_MS = 65_000;

/** What came of a seed. */
export interface Outcome {
  readonly seed: number;
  /** Empty when all is right. */
  readonly violations: readonly string[];
  readonly records: number;
  readonly publishes: number;
  readonly crashes: number;
}

/** Runs a seed for so many steps. */
export async function simulate(seed: number, steps: number, trace?: (line: string) => void): Promise<Outcome> {
  const simulation = new Simulation(seed, trace);
  try {
    return await simulation.run(steps);
  } finally {
    simulation.close();
  }
}

class Simulation {
  readonly #seed: number;
  readonly #trace: (line: string) => void;
  readonly #chance: Chance;
  readonly #scheduler = new Scheduler(START);
  readonly #log = new SimulatedLog();
  readonly #network: Network;
  readonly #workload: Workload;
  readonly #hubs = new Map<CreatorId, SimulatedHub>();
  readonly #watchList: SimulatedWatchList;
  readonly #readers: SimulatedReader[] = [];
  readonly #operator = new Life();
  readonly #pace = new Pace();
  readonly #violations: string[] = [];
  /** Records of the first topic's partitions that were there an hour before the first start. */
  readonly #before: number[] = [];
  #faults: Faults;
  #hasPaused = false;
  #hasRebuilt = false;
  #hasGrown = false;
  #publishes = 0;
  #crashes = 0;
  #firstTopicId: string;

  constructor(seed: number, trace: (line: string) => void = () => undefined) {
    this.#seed = seed;
    this.#trace = (line) => trace(`${new Date(this.#scheduler.now()).toISOString().slice(11, 23)} ${line}`);
    this.#chance = new Chance(seed);
    this.#faults = drawFaults(this.#chance);
    this.#network = new Network(this.#scheduler, this.#chance, () => this.#faults);
    this.#firstTopicId = this.#log.create(defaultTopics.engagement, ENGAGEMENT_PARTITIONS).topicId;
    for (const kind of ["subscription", "payment", "moderation"] as const) {
      this.#log.create(defaultTopics[kind], 1);
    }
    this.#workload = new Workload(this.#log, this.#chance);
    this.#watchList = new SimulatedWatchList(this.#clock(), this.#scheduler, (life, word) =>
      this.#network.call(life, word, (sent) => this.#hub(sent.creatorId).call((hub) => hub.sourcesChanged(sent))),
    );
    for (const id of creatorIds) {
      const creatorId = creatorIdSchema.parse(id);
      const watchList = (life: Life): WatchListPort => ({
        renew: (lease) => this.#network.call(life, lease, (sent) => this.#watchList.core().renew(sent)),
        release: (lease) => this.#network.call(life, lease, (sent) => this.#watchList.core().release(sent)),
      });
      const chances = {
        diesAfterCommit: () => this.#chance.happens(this.#faults.hubDeathAtCommit),
        // Behind a gap an item's first record may be of the very instant of the one lost before it; of an item in several
        // partitions the earliest beginning is shown, though another may have begun again.
        countsMayFall: () => this.#hasRebuilt || this.#hasGrown || this.#readers.some(({ hasGap }) => hasGap),
      };
      const hub = new SimulatedHub(creatorId, this.#clock(), this.#scheduler, watchList, chances);
      this.#hubs.set(creatorId, hub);
    }
    this.#playHistory();
    this.#makeReaders();
  }

  async run(steps: number): Promise<Outcome> {
    await this.#expectSources();
    for (let step = 0; step < steps && this.#violations.length === 0; step++) {
      await this.#step();
    }
    if (this.#violations.length === 0) {
      await this.#rest();
    }
    return {
      seed: this.#seed,
      violations: this.#violations,
      records: this.#engagement().partitions.reduce((sum, partition) => sum + partition.latest, 0),
      publishes: this.#publishes,
      crashes: this.#crashes,
    };
  }

  close(): void {
    this.#operator.end();
    this.#readers.forEach((reader) => reader.kill());
    this.#hubs.forEach((hub) => hub.close());
    this.#watchList.close();
  }

  /** Events from before the product was first started: some too old to count. */
  #playHistory(): void {
    for (let i = 0; i < 6; i++) {
      this.#workload.produce(START - 3 * HOUR_MS + i * 1_000, calm);
    }
    this.#before.push(...this.#engagement().partitions.map((partition) => partition.latest));
    for (let i = 0; i < 6; i++) {
      this.#workload.produce(START - 20_000 + i * 1_000, calm);
    }
  }

  #makeReaders(): void {
    for (const kind of ["engagement", "subscription", "payment", "moderation"] as const) {
      const topic = defaultTopics[kind];
      const partitions = this.#log.topics.get(topic)?.partitions.length ?? 0;
      for (let partition = 0; partition < partitions; partition++) {
        this.#readers.push(this.#makeReader(kind, partition, true));
      }
    }
  }

  #makeReader(kind: TopicKind, partition: number, presentAtFirstStart: boolean): SimulatedReader {
    return new SimulatedReader({
      kind,
      topic: defaultTopics[kind],
      partition,
      presentAtFirstStart,
      firstTopicId: this.#firstTopicId,
      firstOffset: kind === "engagement" ? (this.#before[partition] ?? 0) : 0,
      log: this.#log,
      scheduler: this.#scheduler,
      chance: this.#chance,
      network: this.#network,
      clock: this.#clock(),
      faults: () => this.#faults,
      hasPaused: () => this.#hasPaused,
      hub: (creatorId) => this.#hub(creatorId),
      watchList: () => this.#watchList.core(),
      onPublish: (publish) => this.#checkPublish(publish),
      onViolation: (violation) => this.#violate(violation),
    });
  }

  #clock(): SkewedClock {
    return new SkewedClock(this.#scheduler);
  }

  #hub(creatorId: CreatorId): SimulatedHub {
    const hub = this.#hubs.get(creatorId);
    if (!hub) {
      throw new Error(`no hub of ${creatorId}`);
    }
    return hub;
  }

  #engagement() {
    const topic = this.#log.topics.get(defaultTopics.engagement);
    if (!topic) {
      throw new Error("no engagement topic");
    }
    return topic;
  }

  #violate(violation: string): void {
    this.#trace(`VIOLATION ${violation}`);
    this.#violations.push(violation);
  }

  async #step(): Promise<void> {
    const chance = this.#chance;
    if (chance.happens(0.6)) {
      for (let i = chance.between(1, 3); i > 0; i--) {
        this.#workload.produce(this.#scheduler.now(), this.#faults);
      }
    }
    if (chance.happens(0.04)) {
      this.#openOrCloseDashboard();
    }
    await this.#maybeFault();
    await this.#scheduler.runUntil(this.#scheduler.now() + this.#stepMs());
    this.#collectViolations();
  }

  #stepMs(): number {
    const chance = this.#chance;
    const draw = chance.next();
    return draw < 0.75 ? chance.between(0, 40) : draw < 0.97 ? chance.between(40, 400) : chance.between(1_000, 9_000);
  }

  #openOrCloseDashboard(): void {
    const hub = this.#chance.pick([...this.#hubs.values()]);
    const client = hub.clients.at(0);
    if (client && this.#chance.happens(0.5)) {
      this.#trace(`dashboard of ${hub.creatorId} closes`);
      hub.disconnect(client);
    } else {
      this.#trace(`dashboard of ${hub.creatorId} opens`);
      hub.connect();
    }
  }

  async #maybeFault(): Promise<void> {
    const chance = this.#chance;
    const faults = this.#faults;
    if (chance.happens(faults.readerCrash)) {
      const reader = chance.pick(this.#readers);
      this.#trace(`${reader.source} crashes`);
      this.#crashes++;
      reader.crash(chance.between(50, 4_000));
    }
    if (chance.happens(faults.diskLoss) && !this.#hasPaused) {
      const reader = chance.pick(this.#readers);
      this.#trace(`${reader.source} loses its disk`);
      this.#hasRebuilt = true;
      reader.loseDisk();
    }
    if (chance.happens(faults.standstill)) {
      this.#trace("minutes pass");
      this.#scheduler.skip(chance.between(60_000, 200_000));
    }
    if (chance.happens(faults.longPause)) {
      this.#pause();
    }
    if (chance.happens(faults.hubEviction)) {
      const hub = chance.pick([...this.#hubs.values()]);
      const keepSockets = chance.happens(0.5);
      this.#trace(`hub of ${hub.creatorId} is evicted, sockets ${keepSockets ? "kept" : "cut"}`);
      hub.evict(keepSockets);
    }
    if (chance.happens(faults.watchListEviction)) {
      this.#trace("watch list is evicted");
      this.#watchList.evict();
      await this.#expectSources();
    }
    if (chance.happens(faults.clockJump)) {
      const readers = this.#readers.filter((reader) => !reader.isNew);
      const clocks = [...readers, ...this.#hubs.values(), this.#watchList].map((owner) => owner.clock);
      const clock = chance.pick(clocks);
      clock.skewMs = chance.happens(0.3) ? 0 : Math.round((chance.next() * 2 - 1) * faults.clockSkewMs);
      this.#trace(`a clock is ${clock.skewMs} ms off`);
    }
    if (chance.happens(faults.bridgeOutage)) {
      this.#log.downUntil = this.#scheduler.now() + chance.between(500, 20_000);
      this.#trace("bridge is down");
    }
    if (chance.happens(faults.unreachable)) {
      this.#network.downUntil = this.#scheduler.now() + chance.between(500, 20_000);
      this.#trace("no object can be called");
    }
    if (chance.happens(faults.readerStall)) {
      const reader = chance.pick(this.#readers);
      this.#trace(`${reader.source} stalls`);
      reader.crash(chance.between(10_000, 25_000));
    }
    if (chance.happens(faults.retention)) {
      this.#retain();
    }
    if (chance.happens(faults.growth) && this.#engagement().partitions.length < MOST_PARTITIONS) {
      await this.#grow();
    }
    if (chance.happens(faults.recreation)) {
      this.#trace("engagement topic is recreated");
      this.#log.create(defaultTopics.engagement, this.#engagement().partitions.length);
      // Items of the new topic are counted from another instant than those of the old one.
      await this.#scheduler.runUntil(this.#scheduler.now() + 10);
      for (let i = chance.between(0, 30); i > 0; i--) {
        this.#workload.produce(this.#scheduler.now(), this.#faults);
      }
    }
  }

  /** The supervisor finds a new partition, starts its reader and tells the watch list. */
  async #grow(): Promise<void> {
    this.#trace("the engagement topic gets a partition");
    this.#hasGrown = true;
    this.#engagement().grow();
    this.#readers.push(this.#makeReader("engagement", this.#engagement().partitions.length - 1, false));
    await this.#expectSources();
  }

  /** Everything stands still for longer than an idle item is kept. */
  #pause(): void {
    this.#trace("days pass");
    this.#hasPaused = true;
    this.#readers.forEach((reader) => reader.crash(this.#chance.between(100, 2_000)));
    this.#hubs.forEach((hub) => hub.evict(false));
    this.#watchList.evict();
    this.#scheduler.skip(PAUSE_MS);
  }

  #retain(): void {
    const partition = this.#chance.pick(this.#engagement().partitions);
    partition.earliest = this.#chance.between(partition.earliest, partition.latest);
    this.#trace(`retention removes what is before ${partition.earliest}`);
  }

  /** The supervisor tells the watch list which sources there are, until it has heard. */
  async #expectSources(): Promise<void> {
    const sources = this.#engagement().partitions.map((_, partition) => sourceOf(defaultTopics.engagement, partition));
    this.#watchList.core().expect({ v: LIVE_RPC_VERSION, sources });
    await Promise.resolve();
  }

  #checkPublish(publish: Publish): void {
    this.#publishes++;
    const hurry = this.#pace.faultOf(publish.source, publish.creatorId, this.#scheduler.now());
    if (hurry !== null) {
      this.#violate(hurry);
    }
    const { topicId, partitions } = this.#engagement();
    const partition = Number(publish.source.split(":").at(-1));
    const reader = this.#readers.find((candidate) => candidate.source === publish.source);
    const records = partitions[partition];
    // What was read before a gap, a recreation or a pause depends on when it happened: then only the end is judged.
    const isMoved = topicId !== this.#firstTopicId || this.#hasPaused || (records?.earliest ?? 0) > 0;
    if (!reader || isMoved || reader.setAside.length > 0) {
      return;
    }
    const fault = this.#truthOf(partition).faultOf(publish);
    if (fault !== null) {
      this.#violate(fault);
    }
  }

  readonly #truths = new Map<number, PartitionTruth>();

  #truthOf(partition: number): PartitionTruth {
    let truth = this.#truths.get(partition);
    if (!truth) {
      truth = this.#newTruth(partition, []);
      this.#truths.set(partition, truth);
    }
    return truth;
  }

  #newTruth(partition: number, skipped: readonly Skipped[]): PartitionTruth {
    const { topicId, partitions } = this.#engagement();
    const records = partitions[partition];
    if (!records) {
      throw new Error(`no partition ${partition}`);
    }
    const before = topicId === this.#firstTopicId ? [{ from: 0, to: this.#before[partition] ?? 0 }] : [];
    return new PartitionTruth(records, [...before, ...skipped]);
  }

  #collectViolations(): void {
    for (const hub of this.#hubs.values()) {
      for (const client of hub.clients) {
        for (const violation of client.violations.splice(0)) {
          this.#violate(`${hub.creatorId}: ${violation}`);
        }
      }
    }
  }

  /** Nothing goes wrong any more, nothing is produced, every creator is watched. */
  async #rest(): Promise<void> {
    this.#trace("rest");
    this.#faults = calm;
    this.#log.downUntil = 0;
    this.#network.downUntil = 0;
    for (const owner of [...this.#readers, ...this.#hubs.values(), this.#watchList]) {
      owner.clock.skewMs = 0;
    }
    this.#watchEveryone();
    await this.#expectSources();
    const restsAt = this.#scheduler.now();
    let faults = ["the simulation did not rest"];
    for (let rested = FIRST_REST_MS; rested <= LONGEST_REST_MS && faults.length > 0; rested += 6_000) {
      await this.#scheduler.runUntil(restsAt + rested - SETTLE_MS);
      this.#watchEveryone();
      await this.#scheduler.runUntil(restsAt + rested);
      this.#collectViolations();
      faults = this.#faultsAtRest();
    }
    faults.forEach((fault) => this.#violate(fault));
    if (faults.length === 0 && this.#areStreamsWhole()) {
      await this.#expectStreams();
    }
  }

  /**
   * Where counting began anew in the middle of a stream, or went on in another partition, its summary depends on when
   * that was; and of records that are gone only the hub still knows the stream.
   */
  #areStreamsWhole(): boolean {
    const { topicId, partitions } = this.#engagement();
    const isRecounted = this.#hasRebuilt && (this.#hasPaused || partitions.some(({ earliest }) => earliest > 0));
    return (
      topicId === this.#firstTopicId && !this.#hasGrown && !isRecounted && !this.#readers.some(({ hasGap }) => hasGap)
    );
  }

  async #expectStreams(): Promise<void> {
    const quietAt = this.#scheduler.now() + LAST_STREAM_MS;
    let faults = ["no streams were looked at"];
    for (let waited = 0; waited <= LAST_SHARE_MS && faults.length > 0; waited += 5_000) {
      await this.#scheduler.runUntil(quietAt + waited);
      faults = this.#streamFaults();
    }
    faults.forEach((fault) => this.#violate(fault));
  }

  #streamFaults(): string[] {
    const truths = this.#truthsAtRest();
    return [...this.#hubs.values()].flatMap((hub) => {
      const contentId = contentIdSchema.parse(streamOf(hub.creatorId));
      const summary = hub.call((core) => core.lastStream({ v: LIVE_RPC_VERSION, contentId }));
      const { truth, latest } = truths[partitionOf(hub.creatorId, truths.length)] ?? {};
      const reference = truth?.upTo(latest ?? 0);
      return streamFaultsOf(
        contentId,
        summary,
        reference?.lastStreamAt(this.#scheduler.now(), hub.creatorId, contentId),
      );
    });
  }

  #watchEveryone(): void {
    for (const hub of this.#hubs.values()) {
      if (this.#hasPaused) {
        // What happened more than a day ago is stored, but no open dashboard is told of it.
        hub.clients.forEach((client) => hub.disconnect(client));
      }
      if (hub.clients.length === 0) {
        hub.connect();
      }
    }
  }

  #truthsAtRest() {
    const { topicId, partitions } = this.#engagement();
    return partitions.map((records, partition) => {
      const reader = this.#readers.find(({ source }) => source === sourceOf(defaultTopics.engagement, partition));
      const skipped = reader?.skipped(topicId) ?? [];
      return { truth: this.#newTruth(partition, skipped), latest: records.latest };
    });
  }

  #faultsAtRest(): string[] {
    const truths = this.#truthsAtRest();
    const setAside = this.#readers.flatMap((reader) => reader.setAside.map(({ value }) => value));
    const faults: string[] = [];
    for (const hub of this.#hubs.values()) {
      for (const client of hub.clients) {
        const truth = { partitions: truths, rare: this.#workload.truth, setAside };
        faults.push(...faultsOf(hub.creatorId, client, truth, this.#scheduler.now()));
      }
    }
    return faults;
  }
}
