// A reader's durable state: each call is one transaction that takes effect at one instant, so that a crash falls before
// or after it, and the answer may never be heard.
import type {
  DeadLetter,
  Gap,
  ParkedEvent,
  ReaderCommit,
  ReaderStorage,
  StoredCheckpoint,
  StoredReader,
  Suspect,
} from "../../src/consumer/ports.ts";
import type { CreatorId } from "../../src/contract/ids.ts";
import type { Chance } from "./chance.ts";
import type { Life } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";

/** What survives a reader. */
export interface ReaderDisk {
  readonly presentAtFirstStart: boolean;
  checkpoints: StoredCheckpoint[];
  lastEpoch: number;
  starts: number;
  suspect: Suspect | null;
  stopped: string | null;
  parked: ParkedEvent[];
  readonly gaps: Gap[];
  readonly deadLetters: DeadLetter[];
}

/** The disk of a reader that has never run. */
export function emptyDisk(presentAtFirstStart: boolean): ReaderDisk {
  return {
    presentAtFirstStart,
    checkpoints: [],
    lastEpoch: 0,
    starts: 0,
    suspect: null,
    stopped: null,
    parked: [],
    gaps: [],
    deadLetters: [],
  };
}

/** One incarnation's access to its disk. */
export class SimulatedStorage implements ReaderStorage {
  readonly #life: Life;
  readonly #disk: ReaderDisk;
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #written: () => void;

  /** @param written told of each transaction when it is durable; the reader may die over it */
  constructor(life: Life, disk: ReaderDisk, scheduler: Scheduler, chance: Chance, written: () => void) {
    this.#life = life;
    this.#disk = disk;
    this.#scheduler = scheduler;
    this.#chance = chance;
    this.#written = written;
  }

  start(): Promise<StoredReader> {
    return this.#transact((disk) => {
      disk.starts++;
      const counts = new Map<CreatorId, number>();
      for (const { creatorId } of disk.parked) {
        counts.set(creatorId, (counts.get(creatorId) ?? 0) + 1);
      }
      return {
        checkpoints: disk.checkpoints.map(copy),
        lastEpoch: disk.lastEpoch,
        starts: disk.starts,
        suspect: disk.suspect,
        stopped: disk.stopped,
        presentAtFirstStart: disk.presentAtFirstStart,
        parked: [...counts].map(([creatorId, events]) => ({ creatorId, events })),
      };
    });
  }

  commit(commit: ReaderCommit): Promise<void> {
    const checkpoint = copy(commit.checkpoint);
    return this.#transact((disk) => {
      disk.checkpoints = [checkpoint, ...disk.checkpoints].slice(0, 2);
      disk.lastEpoch = Math.max(disk.lastEpoch, checkpoint.position.epoch);
      disk.starts = 0;
      if (disk.suspect && disk.suspect.to <= checkpoint.position.offset) {
        disk.suspect = null;
      }
      disk.parked.push(...commit.park);
      disk.parked.sort((a, b) => a.epoch - b.epoch || a.event.offset - b.event.offset);
      if (commit.gap) {
        disk.gaps.push(commit.gap);
      }
      for (const letter of commit.deadLetters) {
        if (!disk.deadLetters.some((known) => known.topicId === letter.topicId && known.offset === letter.offset)) {
          disk.deadLetters.push(letter);
        }
      }
    });
  }

  suspect(suspect: Suspect): Promise<void> {
    return this.#transact((disk) => {
      disk.suspect = suspect;
    });
  }

  stop(reason: string): Promise<void> {
    return this.#transact((disk) => {
      disk.stopped = reason;
    });
  }

  parkedEvents(creatorId: CreatorId, limit: number): Promise<readonly ParkedEvent[]> {
    return this.#transact((disk) => {
      const own = disk.parked.filter((parked) => parked.creatorId === creatorId);
      return own.filter((parked) => parked.epoch === own[0]?.epoch).slice(0, limit);
    });
  }

  unpark(creatorId: CreatorId, epoch: number, below: number): Promise<void> {
    return this.#transact((disk) => {
      disk.parked = disk.parked.filter(
        (parked) => parked.creatorId !== creatorId || parked.epoch !== epoch || parked.event.offset >= below,
      );
    });
  }

  #transact<T>(effect: (disk: ReaderDisk) => T): Promise<T> {
    return this.#life.promise<T>((resolve) => {
      this.#life.after(this.#scheduler, this.#chance.between(0, 5), () => {
        const result = effect(this.#disk);
        this.#written();
        this.#scheduler.after(this.#chance.between(0, 5), () => resolve(result));
      });
    });
  }
}

function copy(checkpoint: StoredCheckpoint): StoredCheckpoint {
  return { position: { ...checkpoint.position }, slices: checkpoint.slices.map((slice) => slice.slice()) };
}
