// A client of the hubs for tests: opens real sockets and waits for frames with a deadline.
import { env } from "cloudflare:workers";
import { creatorIdSchema, sourceSchema, contentIdSchema, type CreatorId } from "../../../src/contract/ids.ts";
import {
  LIVE_PROTOCOL,
  serverFrameSchema,
  type LiveState,
  type LiveTotals,
  type ServerFrame,
} from "../../../src/contract/live-frames.ts";
import type { Publish, SourceItem, WatchChanges, WatchVersion } from "../../../src/contract/live-rpc.ts";
import { creatorHub, liveRequest, watchList } from "../../../src/creator-hub/stubs.ts";

const WAIT_MS = 4_000;
/** A reader polls every second; here faster, so that tests are. */
const POLL_MS = 20;

/** A creator that no other test uses. */
export function newCreator(): CreatorId {
  return creatorIdSchema.parse(`crt_${crypto.randomUUID()}`);
}

/** The engagement topic's source of a partition. */
export const engagement = (partition: number) => sourceSchema.parse(`user.engagement.events:${partition}`);

/** One item's share of a source. */
export function item(contentId: string, numbers: Partial<SourceItem> = {}): SourceItem {
  return {
    contentId: contentIdSchema.parse(contentId),
    isLive: false,
    liveViewers: 1,
    peakViewers: 1,
    peakAt: 1_790_000_000_000,
    views: 1,
    likes: 0,
    shares: 0,
    completions: 0,
    watchSeconds: 15,
    since: 1_790_000_000_000,
    viewsPerMinute: { firstMinute: 29_833_333, counts: [1] },
    approximate: false,
    ...numbers,
  };
}

/** A publish whose totals are the sums over its items. */
export function publishOf(
  creatorId: CreatorId,
  offset: number,
  items: SourceItem[],
  more: Partial<Publish> = {},
): Publish {
  const sum = (of: (one: SourceItem) => number) => items.reduce((total, one) => total + of(one), 0);
  return {
    v: 1,
    creatorId,
    source: engagement(0),
    epoch: 1,
    offset,
    at: 1_790_000_000_000 + offset,
    caughtUp: true,
    totals: {
      liveViewers: sum((one) => one.liveViewers),
      views: sum((one) => one.views),
      likes: sum((one) => one.likes),
      shares: sum((one) => one.shares),
      completions: sum((one) => one.completions),
      watchSeconds: sum((one) => one.watchSeconds),
      items: items.length,
    },
    items,
    ...more,
  };
}

/** A poll of the only source's reader, which has just fetched. */
export async function report(served: WatchVersion | null): Promise<WatchChanges> {
  const health = {
    state: "ok",
    lastFetchAt: Date.now(),
    caughtUp: true,
    lagRecords: 0,
    lagSeconds: 0,
    reason: null,
  } as const;
  return watchList(env).report({ v: 1, source: engagement(0), partitions: 1, epoch: 1, offset: 0, served, health });
}

/** A healthy reader of the only source that has nothing to publish by itself. Polls until it is stopped. */
export function startReader(): { stop(): void } {
  let served: WatchVersion | null = null;
  let stopped = false;
  const poll = async () => {
    const { version } = await report(served);
    served = version;
    if (!stopped) {
      setTimeout(() => void poll(), POLL_MS);
    }
  };
  void poll();
  return { stop: () => void (stopped = true) };
}

/** What the call threw; fails when it threw nothing. */
export async function errorOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return String(error);
  }
  throw new Error("the call was accepted");
}

/** What a client holds after the frames so far. */
interface ClientState {
  state: LiveState | null;
  totals: Partial<LiveTotals>;
  /** Ids, sorted. */
  content: string[];
}

/** An open socket of a creator's hub. */
export class LiveClient {
  readonly frames: ServerFrame[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | null = null;
  #pongs = 0;
  #wake: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (data === "pong") {
        this.#pongs += 1;
      } else {
        this.frames.push(serverFrameSchema.parse(JSON.parse(String(data))));
      }
      this.#notify();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#notify();
    });
    socket.accept();
  }

  /** Opens a socket, or throws with the status of the refusal. */
  static async open(creatorId: CreatorId, options: { expiresAt?: number; query?: string } = {}): Promise<LiveClient> {
    const response = await upgrade(creatorId, options);
    if (response.webSocket === null) {
      throw new Error(`refused with ${response.status}`);
    }
    return new LiveClient(response.webSocket);
  }

  /** The first frame of a type that satisfies the condition, waiting for it if need be. */
  async frame<Type extends ServerFrame["type"]>(
    type: Type,
    condition: (frame: Extract<ServerFrame, { type: Type }>) => boolean = () => true,
  ): Promise<Extract<ServerFrame, { type: Type }>> {
    const isWanted = (frame: ServerFrame): frame is Extract<ServerFrame, { type: Type }> =>
      frame.type === type && condition(frame as Extract<ServerFrame, { type: Type }>);
    await this.#until(() => this.frames.some(isWanted), `no such ${type} frame`);
    const found = this.frames.find(isWanted);
    if (found === undefined) {
      throw new Error("a frame that was there is gone");
    }
    return found;
  }

  /** Waits for what the client holds to satisfy the condition. */
  async state(condition: (state: ClientState) => boolean): Promise<void> {
    await this.#until(() => condition(this.#held()), "the client never held that");
  }

  /** Waits for an answer to `ping`. */
  async pong(): Promise<void> {
    await this.#until(() => this.#pongs > 0, "no pong");
  }

  /** The close code, waiting for it if need be. */
  async closeCode(): Promise<number> {
    await this.#until(() => this.closed !== null, "not closed");
    return this.closed?.code ?? 0;
  }

  #held(): ClientState {
    let held: ClientState = { state: null, totals: {}, content: [] };
    for (const frame of this.frames) {
      if (frame.type === "snapshot") {
        held = { state: frame.state, totals: frame.totals, content: frame.content.map(({ contentId }) => contentId) };
      } else if (frame.type === "metrics") {
        const kept = held.content.filter((id) => !frame.removed.some((removed) => removed === id));
        const content = new Set([...kept, ...frame.content.map(({ contentId }) => contentId)]);
        held = { ...held, totals: frame.totals, content: [...content].toSorted() };
      } else if (frame.type === "status") {
        held = { ...held, state: frame.state };
      }
    }
    return held;
  }

  async #until(condition: () => boolean, otherwise: string): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    while (!condition()) {
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new Error(`${otherwise} within ${WAIT_MS} ms; got ${JSON.stringify(this.frames).slice(0, 2_000)}`);
      }
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        setTimeout(resolve, left);
      });
    }
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const resolve of waiting) {
      resolve();
    }
  }
}

/** The answer to a creator's upgrade request. */
export async function upgrade(
  creatorId: CreatorId,
  { expiresAt = Math.floor(Date.now() / 1_000) + 3_600, query = "", protocols = LIVE_PROTOCOL } = {},
): Promise<Response> {
  const request = new Request(`https://hub/ws/creator/live-metrics${query}`, {
    headers: { upgrade: "websocket", "sec-websocket-protocol": protocols },
  });
  return creatorHub(env, creatorId).fetch(liveRequest(request, { creatorId, tokenExpiresAt: expiresAt }));
}
