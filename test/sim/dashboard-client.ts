// A dashboard at the other end of a socket: the page's own step by each frame, and an eye on what must never happen.
import { type LiveContent, serverFrameSchema } from "../../src/contract/live-frames.ts";
import { applyFrame, type LiveNumbers, nothingKnown } from "../../src/dashboard/live-client/live-numbers.ts";

const rising = ["views", "shares", "completions", "watchSeconds"] as const;

/** One open dashboard. */
export class DashboardClient {
  readonly connectionId: string;
  /** What a creator sees. */
  seen: LiveNumbers = nothingKnown;
  /** What went wrong, in words. */
  readonly violations: string[] = [];
  readonly #mayFall: () => boolean;

  /** @param mayFall true once a reader has lost all it had stored: it counts again from the log's beginning */
  constructor(connectionId: string, mayFall: () => boolean) {
    this.connectionId = connectionId;
    this.#mayFall = mayFall;
  }

  /** Takes a frame's text. */
  receive(text: string): void {
    const parsed = serverFrameSchema.safeParse(JSON.parse(text));
    if (!parsed.success) {
      this.violations.push(
        `frame does not fit its schema: ${text.slice(0, 200)} ${parsed.error.message.slice(0, 300)}`,
      );
      return;
    }
    const frame = parsed.data;
    if (frame.type === "welcome") {
      return;
    }
    this.#checkOrder(frame.type, frame.epoch, frame.seq);
    if (frame.type === "metrics") {
      frame.content.forEach((item) => this.#checkNotFalling(item));
    }
    this.seen = applyFrame(this.seen, frame);
  }

  #checkOrder(type: string, epoch: string, seq: number): void {
    if (epoch !== this.seen.epoch) {
      if (type !== "snapshot") {
        this.violations.push(`epoch ${epoch} began with ${type}`);
      }
    } else if (seq <= this.seen.seq) {
      this.violations.push(`seq ${seq} of ${type} after ${this.seen.seq}`);
    }
  }

  /** Within one epoch of a hub counts fall only where an item is counted anew: from another instant. */
  #checkNotFalling(item: LiveContent): void {
    const before = this.seen.content.get(item.contentId);
    if (before && item.since === before.since && !this.#mayFall()) {
      for (const name of rising) {
        if (item[name] < before[name]) {
          this.violations.push(`${name} of ${item.contentId} fell from ${before[name]} to ${item[name]}`);
        }
      }
    }
  }
}
