// One hub on a virtual clock: its storage, sockets, timers and alarm are driven by the test, and its watch list
// answers what the test says.
import {
  contentIdSchema,
  creatorIdSchema,
  sourceSchema,
  type ContentId,
  type Source,
} from "../../../src/contract/ids.ts";
import {
  serverFrameSchema,
  type LiveContent,
  type LiveTotals,
  type ServerFrame,
} from "../../../src/contract/live-frames.ts";
import type { Lease, Publish, SourceItem, SourcesState } from "../../../src/contract/live-rpc.ts";
import type { HubSocket, SocketInfo } from "../../../src/creator-hub/audience.ts";
import { HubCore } from "../../../src/creator-hub/hub-core.ts";
import { HubStorage } from "../../../src/creator-hub/hub-storage.ts";
import { createLog } from "../../../src/runtime/log.ts";
import { memorySql } from "./node-sql.ts";

export const creator = creatorIdSchema.parse("crt_1");
export const START = Date.UTC(2026, 10, 22, 20, 0, 0);

/** A source of the engagement topic. */
export const source = (partition: number): Source => sourceSchema.parse(`user.engagement.events:${partition}`);
/** A content id. */
export const content = (id: string): ContentId => contentIdSchema.parse(id);

/** One item's share of a source; numbers that do not matter are zero. */
export function item(id: string, numbers: Partial<SourceItem> = {}): SourceItem {
  return {
    contentId: content(id),
    isLive: false,
    liveViewers: 0,
    peakViewers: 0,
    peakAt: null,
    views: 0,
    likes: 0,
    shares: 0,
    completions: 0,
    watchSeconds: 0,
    since: START,
    viewsPerMinute: { firstMinute: START / 60_000, counts: [] },
    approximate: false,
    ...numbers,
  };
}

/** A publish of a source whose totals are the sums over its items. */
export function publish(partition: number, offset: number, items: SourceItem[], more: Partial<Publish> = {}): Publish {
  const sum = (of: (one: SourceItem) => number) => items.reduce((total, one) => total + of(one), 0);
  return {
    v: 1,
    creatorId: creator,
    source: source(partition),
    epoch: 1,
    offset,
    at: START + offset,
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

/** A client as the page is one: holds the state that the frames describe, and checks what every frame promises. */
export class TestSocket implements HubSocket {
  readonly info: SocketInfo;
  readonly frames: ServerFrame[] = [];
  closed: number | null = null;
  pingAt: number | null = null;
  totals: LiveTotals | null = null;
  items = new Map<ContentId, LiveContent>();
  state: string | null = null;
  /** Of all frames so far. */
  characters = 0;
  #epoch = "";
  #seq = 0;

  constructor(info: SocketInfo) {
    this.info = info;
  }

  isOpen(): boolean {
    return this.closed === null;
  }

  send(text: string): void {
    if (text === "pong" || this.closed !== null) {
      return;
    }
    this.characters += text.length;
    const frame = serverFrameSchema.parse(JSON.parse(text));
    this.frames.push(frame);
    if (frame.type === "welcome") {
      return;
    }
    if (frame.epoch === this.#epoch && frame.seq <= this.#seq) {
      throw new Error(`${frame.type} ${frame.epoch}/${frame.seq} after ${this.#epoch}/${this.#seq}`);
    }
    if (frame.type === "snapshot") {
      this.totals = frame.totals;
      this.items = new Map(frame.content.map((one) => [one.contentId, one]));
      this.state = frame.state;
    } else if (frame.epoch !== this.#epoch) {
      throw new Error(`${frame.type} of ${frame.epoch} before its snapshot`);
    }
    this.#epoch = frame.epoch;
    this.#seq = frame.seq;
    if (frame.type === "metrics") {
      this.totals = frame.totals;
      for (const one of frame.content) {
        this.items.set(one.contentId, { ...this.items.get(one.contentId), ...one });
      }
      for (const id of frame.removed) {
        this.items.delete(id);
      }
    } else if (frame.type === "status") {
      this.state = frame.state;
    }
  }

  close(code: number): void {
    this.closed ??= code;
  }

  lastPingAt(): number | null {
    return this.pingAt;
  }

  /** The frames of one type. */
  of<Type extends ServerFrame["type"]>(type: Type): Extract<ServerFrame, { type: Type }>[] {
    return this.frames.filter((frame): frame is Extract<ServerFrame, { type: Type }> => frame.type === type);
  }
}

/** A hub and everything around it. */
export class HubBench {
  now = START;
  readonly sockets: TestSocket[] = [];
  readonly renewals: Lease[] = [];
  readonly releases: Lease[] = [];
  readonly alarmsSet: number[] = [];
  /** What the watch list answers to a lease that it knows already. */
  answer: Partial<SourcesState> = {};
  /** Makes calls to the watch list fail. */
  watchListDown = false;
  #revision = 0;
  readonly #database = memorySql();
  #timers: { at: number; run: () => void }[] = [];
  #alarmAt: number | null = null;
  hub: HubCore;

  constructor() {
    this.hub = this.#start();
  }

  /** The hub's storage, as another instance would see it. */
  get storage(): HubStorage {
    return new HubStorage(this.#database);
  }

  /** Loses everything in memory. Open sockets survive, or are closed. */
  evict(sockets: "hibernate" | "close" = "hibernate"): void {
    this.#timers = [];
    if (sockets === "close") {
      for (const socket of this.sockets) {
        socket.close(1_006);
      }
    }
    this.hub = this.#start();
  }

  connect({
    since = null,
    expiresAt = START + 24 * 3_600_000,
  }: { since?: string | null; expiresAt?: number } = {}): TestSocket {
    const socket = new TestSocket(this.hub.describeSocket(expiresAt));
    this.sockets.push(socket);
    this.hub.connect(socket, since);
    return socket;
  }

  /** Closes a socket from the client's side. */
  leave(socket: TestSocket): void {
    socket.close(1_000);
    this.hub.disconnected(socket.info.connectionId);
  }

  /** Pushes a word of the watch list for the newest lease. */
  tell(word: Partial<SourcesState>): void {
    this.answer = word;
    this.hub.sourcesChanged(this.#word(word));
  }

  /** Lets calls that are under way arrive. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) {
      await Promise.resolve();
    }
  }

  /** Lets time pass: timers and alarms fire when they are due. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    await this.settle();
    for (;;) {
      const timer = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      const at = Math.min(timer?.at ?? Infinity, this.#alarmAt ?? Infinity);
      if (at > end) {
        break;
      }
      this.now = Math.max(this.now, at);
      if (timer !== undefined && timer.at === at) {
        this.#timers = this.#timers.filter((other) => other !== timer);
        timer.run();
      } else {
        this.#alarmAt = null;
        this.hub.alarm();
      }
      await this.settle();
    }
    this.now = end;
  }

  #word(word: Partial<SourcesState>): SourcesState {
    const hubIncarnation = this.renewals.at(-1)?.hubIncarnation ?? "";
    return {
      v: 1,
      creatorId: creator,
      hubIncarnation,
      complete: false,
      state: "ok",
      reason: null,
      asOf: this.now,
      revision: (this.#revision += 1),
      ...word,
    };
  }

  #start(): HubCore {
    const open = this.sockets.filter((socket) => socket.isOpen());
    return new HubCore(creator, open, 100, {
      clock: { now: () => this.now },
      storage: new HubStorage(this.#database),
      watchList: {
        renew: async (lease) => {
          if (lease.hubIncarnation !== this.renewals.at(-1)?.hubIncarnation) {
            this.answer = {};
          }
          this.renewals.push(lease);
          if (this.watchListDown) {
            throw new Error("the watch list is down");
          }
          return this.#word(this.answer);
        },
        release: async (lease) => {
          this.releases.push(lease);
          return { v: 1 };
        },
      },
      alarm: {
        set: (at) => {
          this.alarmsSet.push(at);
          this.#alarmAt = at;
        },
      },
      timers: { after: (ms, run) => void this.#timers.push({ at: this.now + ms, run }) },
      log: createLog({}, () => undefined),
    });
  }
}
