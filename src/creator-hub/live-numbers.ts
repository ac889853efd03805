// What a hub knows of its creator's live numbers, and how far it may be trusted: the contributions, whether all
// sources have been heard in this incarnation, and what the watch list says of their health.
import type { LiveReason, LiveState } from "../contract/live-frames.ts";
import type { Publish, PublishReply, SourcesState } from "../contract/live-rpc.ts";
import type { Source } from "../contract/ids.ts";
import { Contributions, type Contribution } from "./contributions.ts";
import { mergeContributions, type LiveView } from "./live-view.ts";

/** A reader behind what the hub holds keeps publishing; one silent for so long has passed, or was only a late call. */
const BEHIND_MEMORY_MS = 10_000;
/** A reader that has nothing to publish says where it stands only when the lease is renewed, every 60 s. */
const SILENT_BEHIND_MEMORY_MS = 70_000;

/** How trustworthy the numbers are. `asOf` is in ms since the Unix epoch; null when nothing was ever known. */
export interface Trust {
  state: LiveState;
  reason: LiveReason | null;
  asOf: number | null;
}

/** The live numbers of one creator. */
export class LiveNumbers {
  readonly #contributions: Contributions;
  readonly #behindUntil = new Map<Source, number>();
  /** True once all sources had been heard, in this or an earlier incarnation: then a sum means something. */
  #known: boolean;
  #savedKnown: boolean;
  #word: SourcesState | null = null;
  #view: LiveView | null = null;

  constructor(stored: { contributions: Contribution[]; known: boolean }) {
    this.#contributions = new Contributions(stored.contributions);
    this.#known = stored.known;
    this.#savedKnown = stored.known;
  }

  /** True when all sources have been heard in this incarnation. */
  get complete(): boolean {
    return this.#word?.complete ?? false;
  }

  /** The newest revision of the watch list's word in this incarnation. */
  get revision(): number {
    return this.#word?.revision ?? 0;
  }

  sources(): Source[] {
    return this.#contributions.sources();
  }

  /** A new incarnation: what is held is only the last known until the sources have spoken again. */
  beginIncarnation(): void {
    this.#contributions.age();
    this.#behindUntil.clear();
    this.#word = null;
  }

  /** Takes a source's state. */
  publish(call: Publish, nowMs: number): { outcome: PublishReply["outcome"]; held: PublishReply["held"] } {
    const { v: _v, creatorId: _creatorId, ...contribution } = call;
    const outcome = this.#contributions.accept(contribution);
    if (outcome === "behind") {
      this.#behindUntil.set(call.source, nowMs + BEHIND_MEMORY_MS);
    } else if (outcome !== "late") {
      this.#behindUntil.delete(call.source);
    }
    if (outcome === "accepted") {
      this.#view = null;
    }
    return { outcome: outcome === "late" ? "behind" : outcome, held: this.#contributions.position(call.source) };
  }

  /** True when a word tells of a lease that had lapsed and began again: the sources were told that nobody watches. */
  tellsOfLapse(word: SourcesState): boolean {
    return this.complete && !word.complete && !this.#isOutdated(word);
  }

  /** Takes the watch list's word, unless a newer one has come before it. */
  hear(word: SourcesState, nowMs: number): void {
    if (this.#isOutdated(word)) {
      return;
    }
    this.#word = word;
    this.#known ||= word.complete;
    if (word.complete && word.sources !== undefined) {
      for (const source of this.#contributions.settle(word.sources)) {
        this.#behindUntil.set(source, nowMs + SILENT_BEHIND_MEMORY_MS);
      }
      this.#view = null;
    }
  }

  #isOutdated({ revision }: SourcesState): boolean {
    return this.#word !== null && revision !== undefined && revision <= this.revision;
  }

  /** The sum over sources; null while it is not known. */
  view(): LiveView | null {
    if (!this.#known) {
      return null;
    }
    this.#view ??= mergeContributions(this.#contributions.all());
    return this.#view;
  }

  /** @param outOfTouch true when the watch list has not been heard for too long */
  trust(nowMs: number, outOfTouch: boolean): Trust {
    const newest = this.#known ? this.#contributions.newestAt() : null;
    const word = this.#word;
    const asOf = word?.asOf === null || word?.asOf === undefined ? newest : word.asOf;
    if (word === null || !word.complete) {
      const reason = word?.state === "stale" && word.reason !== null ? word.reason : "starting";
      return { state: this.#known ? "stale" : "unavailable", reason, asOf: newest };
    }
    if (word.state === "stale") {
      return { state: "stale", reason: word.reason ?? "reader_stalled", asOf };
    }
    if (outOfTouch) {
      return { state: "stale", reason: "reader_stalled", asOf };
    }
    if (this.#pendingUntil(nowMs) < Infinity) {
      return { state: "stale", reason: "reader_behind", asOf: newest };
    }
    return { state: "live", reason: null, asOf: Math.max(nowMs, newest ?? 0) };
  }

  /** When the trust may change by itself; infinite when it cannot. */
  nextDueAt(nowMs: number): number {
    return this.#pendingUntil(nowMs);
  }

  /** When the next source that is behind is forgotten. An instant further off is that of a clock that was set back. */
  #pendingUntil(nowMs: number): number {
    const longest = nowMs + Math.max(BEHIND_MEMORY_MS, SILENT_BEHIND_MEMORY_MS);
    const pending = [...this.#behindUntil.values()].filter((until) => until > nowMs && until <= longest);
    return Math.min(Infinity, ...pending);
  }

  /** What storage lacks. */
  takeChanges(): { changed: Contribution[]; removed: Source[]; known: boolean } {
    this.#savedKnown = this.#known;
    return { ...this.#contributions.takeChanges(), known: this.#known };
  }

  /** True when storage lacks something. */
  hasChanges(): boolean {
    return this.#savedKnown !== this.#known || this.#contributions.hasChanges();
  }
}
