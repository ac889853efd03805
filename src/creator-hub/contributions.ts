// What each source last said of this creator. Publishes are whole and absolute, so keeping the newest of each source
// is enough: repeated, late and lost ones change nothing.
import type { Publish, SourcesState } from "../contract/live-rpc.ts";
import type { Source } from "../contract/ids.ts";

/** A source's newest state, as published. */
export type Contribution = Omit<Publish, "v" | "creatorId">;

/**
 * How late a call can arrive: readers give up after 5 s, and no network holds one for longer than this (ours). A publish
 * further back in time at the same offset comes from a clock that was set back, and is the newest.
 */
const LATEST_CALL_MS = 60_000;

/** What became of a publish. `late` is behind only in `at`: a repeated call, or a clock that was set back a little. */
export type PublishOutcome = "accepted" | "duplicate" | "behind" | "late";

interface Held {
  contribution: Contribution;
  /** False until the source has published to, or served, the present hub incarnation. */
  fresh: boolean;
  dirty: boolean;
}

/** The newest contribution of every source, and which of them await storage. */
export class Contributions {
  readonly #held = new Map<Source, Held>();
  readonly #removed = new Set<Source>();
  /** Null until the watch list has spoken: then whatever is held counts. */
  #expected: Set<Source> | null = null;

  constructor(stored: readonly Contribution[]) {
    for (const contribution of stored) {
      this.#held.set(contribution.source, { contribution, fresh: false, dirty: false });
    }
  }

  /** The contributions that count, ordered by source: sums of fractions depend on their order. */
  all(): Contribution[] {
    const contributions = [...this.#held.values()].map((held) => held.contribution).toSorted(bySource);
    const expected = this.#expected;
    return expected === null ? contributions : contributions.filter(({ source }) => expected.has(source));
  }

  /** The sources with a contribution. */
  sources(): Source[] {
    return [...this.#held.keys()];
  }

  /** The newest instant that a source has counted for, in ms since the Unix epoch; null without any. */
  newestAt(): number | null {
    let newest: number | null = null;
    for (const { contribution } of this.#held.values()) {
      newest = newest === null ? contribution.at : Math.max(newest, contribution.at);
    }
    return newest;
  }

  /** Where the hub stands with a source; zeros when it holds nothing. */
  position(source: Source): { epoch: number; offset: number } {
    const held = this.#held.get(source)?.contribution;
    return { epoch: held?.epoch ?? 0, offset: held?.offset ?? 0 };
  }

  /** Keeps the contribution if it is newer by (epoch, offset, at) than the one held. */
  accept(contribution: Contribution): PublishOutcome {
    const held = this.#held.get(contribution.source);
    const order = held === undefined ? 1 : comparePositions(contribution, held.contribution);
    if (held !== undefined && order < 0) {
      return "behind";
    }
    if (held !== undefined && order === 0 && isEarlierWord(contribution, held.contribution)) {
      held.fresh = true;
      return "duplicate";
    }
    const lateMs = held === undefined || order !== 0 ? -1 : held.contribution.at - contribution.at;
    if (held !== undefined && lateMs >= 0 && lateMs <= LATEST_CALL_MS) {
      const late = contribution.at < held.contribution.at;
      held.fresh ||= !late;
      return late ? "late" : "duplicate";
    }
    this.#held.set(contribution.source, { contribution, fresh: true, dirty: true });
    this.#removed.delete(contribution.source);
    return "accepted";
  }

  /** A new incarnation begins: until a source publishes or has served it, its contribution is only the last known. */
  age(): void {
    for (const held of this.#held.values()) {
      held.fresh = false;
    }
  }

  /**
   * Takes the watch list's word on the expected sources. One that has served this incarnation without publishing has
   * nothing to publish, so what is held of it is over, unless its reader stands before that: then it has merely not
   * come so far again, and is named in the answer. A source that is not expected does not count.
   */
  settle(sources: NonNullable<SourcesState["sources"]>): Source[] {
    this.#expected = new Set(sources.map(({ source }) => source));
    const behind: Source[] = [];
    for (const { source, served } of sources) {
      const held = this.#held.get(source);
      if (held === undefined || held.fresh || served === null) {
        continue;
      }
      if (comparePositions(served, held.contribution) < 0) {
        behind.push(source);
      } else {
        this.#held.delete(source);
        this.#removed.add(source);
      }
    }
    return behind;
  }

  /** True when storage lacks something. */
  hasChanges(): boolean {
    return this.#removed.size > 0 || this.#held.values().some((held) => held.dirty);
  }

  /** What has changed since the last call, for storage. */
  takeChanges(): { changed: Contribution[]; removed: Source[] } {
    const dirty = [...this.#held.values()].filter((held) => held.dirty);
    for (const held of dirty) {
      held.dirty = false;
    }
    const removed = [...this.#removed];
    this.#removed.clear();
    return { changed: dirty.map((held) => held.contribution), removed };
  }
}

/**
 * A reader that has yet to catch up, as after a restart, counts for log time. At the same place in the log that is less
 * than was said by wall time: people who have gone would be back.
 */
function isEarlierWord(said: Contribution, held: Contribution): boolean {
  return held.caughtUp && !said.caughtUp && said.at <= held.at;
}

function comparePositions(a: { epoch: number; offset: number }, b: { epoch: number; offset: number }): number {
  return a.epoch === b.epoch ? a.offset - b.offset : a.epoch - b.epoch;
}

function bySource(a: Contribution, b: Contribution): number {
  return a.source < b.source ? -1 : 1;
}
