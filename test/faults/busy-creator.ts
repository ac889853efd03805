// One creator's share of what is produced: viewers who come and go over a few items, subscriptions, payments and
// moderation decisions, and between them repeats and garbage. Counts what it writes.
import { defaultTopics } from "../../src/contract/events.ts";
import type { LogEntry, LogWriter } from "./log-writer.ts";
import { Truth } from "./truth.ts";

const ITEMS = 4;
const MOST_VIEWERS = 15;
/** Repeats come from among the creator's newest events: all within the ten minutes for which readers know them. */
const REPEATABLE = 60;
/** One beat counts at most this many seconds, as the design says. */
const MOST_SECONDS_A_BEAT = 60;
/** The owner's count at the beginning. */
const FIRST_SUBSCRIBERS = 1_000;

const garbage = [
  "",
  "not json",
  "[]",
  "{}",
  '{"type":"view.started"}',
  '{"eventId":"x","type":7}',
  `{"eventId":"long","type":"view.started","contentId":"${"c".repeat(200)}"}`,
];

interface Viewer {
  readonly sessionId: string;
  readonly contentId: string;
  likes: boolean;
}

/** How one creator's producer behaves. */
export interface BusyCreatorOptions {
  readonly creatorId: string;
  readonly writer: LogWriter;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  /** At most one moderation decision in this time, ms: a dashboard keeps the newest hundred. */
  readonly decisionEveryMs: number;
}

/** Produces one creator's events. */
export class BusyCreator {
  readonly creatorId: string;
  readonly truth = new Truth();
  readonly #options: BusyCreatorOptions;
  readonly #viewers: Viewer[] = [];
  readonly #repeatable: LogEntry[] = [];
  #entries: LogEntry[] = [];
  #written = 0;
  #ids = 0;
  #at = 0;
  #nextDecisionAt = 0;

  constructor(options: BusyCreatorOptions) {
    this.creatorId = options.creatorId;
    this.#options = options;
  }

  /** Records acknowledged, repeats and garbage among them. */
  get written(): number {
    return this.#written;
  }

  /** True when a value is one of the garbage that this producer writes. */
  static isGarbage(value: string): boolean {
    return garbage.includes(value);
  }

  /** Begins: the owner's count of subscribers becomes known. */
  async begin(): Promise<void> {
    this.truth.subscribers = FIRST_SUBSCRIBERS - 1;
    this.#subscription("subscribed", true);
    await this.#flush();
  }

  /** Produces some events, and resolves when all are acknowledged. */
  async step(): Promise<void> {
    const { random, decisionEveryMs } = this.#options;
    for (let left = 1 + Math.floor(random() * 10); left > 0; left--) {
      this.#viewing();
    }
    if (random() < 0.08) {
      this.#subscription(random() < 0.7 ? "subscribed" : "unsubscribed", random() < 0.2);
    }
    if (random() < 0.08) {
      this.#payment();
    }
    if (Date.now() >= this.#nextDecisionAt) {
      this.#nextDecisionAt = Date.now() + decisionEveryMs;
      this.#decision();
    }
    this.#noise();
    await this.#flush();
  }

  /** Everyone leaves, after one last decision. */
  async end(): Promise<void> {
    this.#decision();
    for (const viewer of this.#viewers.splice(0)) {
      this.#engage("view.ended", viewer);
    }
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const entries = this.#entries;
    this.#entries = [];
    await this.#options.writer.write(entries);
    this.#written += entries.length;
  }

  #viewing(): void {
    const { random } = this.#options;
    const dice = random();
    const at = Math.floor(random() * this.#viewers.length);
    const viewer = this.#viewers[at];
    if (viewer === undefined || (dice < 0.3 && this.#viewers.length < MOST_VIEWERS)) {
      this.#come();
    } else if (dice < 0.75) {
      this.#engage("view.heartbeat", viewer, Math.floor(random() * 80));
    } else if (dice < 0.85) {
      this.#engage(viewer.likes ? "like.removed" : "like.added", viewer);
      viewer.likes = !viewer.likes;
    } else if (dice < 0.9) {
      this.#engage("share.created", viewer);
    } else {
      if (random() < 0.5) {
        this.#engage("view.completed", viewer);
      }
      this.#engage("view.ended", viewer, Math.floor(random() * 15));
      this.#viewers.splice(at, 1);
    }
  }

  #come(): void {
    const contentId = `${this.creatorId}_item${Math.floor(this.#options.random() * ITEMS)}`;
    const viewer = { sessionId: this.#newId("s"), contentId, likes: false };
    this.#viewers.push(viewer);
    this.#engage("view.started", viewer);
  }

  #engage(type: string, { sessionId, contentId }: Viewer, watchSeconds?: number): void {
    const seconds = watchSeconds === undefined ? {} : { watchSeconds };
    const live = contentId.endsWith("item0") ? { isLive: true } : {};
    this.#add(defaultTopics.engagement, { type, contentId, sessionId, ...seconds, ...live });
    const item = this.truth.item(contentId);
    item.views += type === "view.started" ? 1 : 0;
    item.likes += type === "like.added" ? 1 : 0;
    item.likes -= type === "like.removed" ? 1 : 0;
    item.shares += type === "share.created" ? 1 : 0;
    item.completions += type === "view.completed" ? 1 : 0;
    item.watchSeconds += Math.min(MOST_SECONDS_A_BEAT, watchSeconds ?? 0);
  }

  #subscription(change: "subscribed" | "unsubscribed", withCount: boolean): void {
    this.truth.subscribers += change === "subscribed" ? 1 : -1;
    const count = withCount ? { subscriberCount: this.truth.subscribers } : {};
    this.#add(defaultTopics.subscription, { change, ...count });
  }

  #payment(): void {
    this.truth.revenueVersion += 1;
    const amountMinor = 1 + Math.floor(this.#options.random() * 1_000_000);
    this.#add(defaultTopics.payment, { paymentId: this.#newId("p"), kind: "ad", amountMinor, currency: "NGN" });
  }

  #decision(): void {
    const reason = `decision ${this.truth.decisions.length + 1}`;
    this.truth.decisions.push(reason);
    const decision = this.truth.decisions.length % 2 === 1 ? "restricted" : "reinstated";
    const contentId = `${this.creatorId}_item0`;
    this.#add(defaultTopics.moderation, { decisionId: this.#newId("d"), contentId, decision, reason });
  }

  /** Repeats of what was written before, and what no reader can use. */
  #noise(): void {
    const { random } = this.#options;
    while (random() < 0.4) {
      const repeated = this.#repeatable[Math.floor(random() * this.#repeatable.length)];
      if (repeated !== undefined) {
        this.#entries.push(repeated);
      }
    }
    if (random() < 0.1) {
      const topics = Object.values(defaultTopics);
      const topic = topics[Math.floor(random() * topics.length)] ?? defaultTopics.engagement;
      this.#entries.push({ topic, key: this.creatorId, value: garbage[Math.floor(random() * garbage.length)] ?? "" });
    }
    if (random() < 0.1) {
      const unknown = { eventId: this.#newId("u"), type: "view.teleported", creatorId: this.creatorId };
      this.#entries.push({ topic: defaultTopics.engagement, key: this.creatorId, value: JSON.stringify(unknown) });
    }
  }

  #add(topic: string, event: object): void {
    const { creatorId } = this;
    // A session's beats are told apart by their time.
    this.#at = Math.max(Date.now(), this.#at + 1);
    const occurredAt = new Date(this.#at).toISOString();
    const value = JSON.stringify({ eventId: this.#newId("e"), creatorId, occurredAt, ...event });
    const entry = { topic, key: creatorId, value };
    this.#entries.push(entry);
    this.#repeatable.push(entry);
    if (this.#repeatable.length > REPEATABLE) {
      this.#repeatable.shift();
    }
  }

  #newId(kind: string): string {
    this.#ids += 1;
    return `${this.creatorId}-${kind}${this.#ids}`;
  }
}
