// A client of the live socket for any browser, or Node 22 and newer, without dependencies. It connects, authenticates,
// comes back by itself, and gives one immutable state after another. Counts need no replay: every connection begins
// with a snapshot. Alerts missed meanwhile are asked for by the last one seen.
//
//   const client = new LiveClient({ url: "wss://…/ws/creator/live-metrics", token: async (renew) => "…" });
//   const unsubscribe = client.subscribe(({ connection, numbers }) => …);
//   client.start();
import type { Receipt, ServerFrame } from "../../contract/live-frames.ts";
import { backOffMs } from "./back-off.ts";
import { recoveryFrom, type Connection, type LossCause, type Recovery } from "./connection.ts";
import { BEARER_PROTOCOL_PREFIX, LIVE_PROTOCOL, readFrame } from "./frames.ts";
import { applyFrame, nothingKnown, type LiveNumbers } from "./live-numbers.ts";
import { standardPlatform, type Platform, type Socket } from "./platform.ts";

/** What a client needs to know. */
export interface LiveClientOptions {
  /** `ws:` or `wss:` address of the live socket, without a query. */
  url: string;
  /**
   * Gives the token to connect with; `renew` when the last one was refused. Null when nobody is signed in, which stops
   * the client; a rejection is taken for a passing trouble.
   */
  token(renew: boolean): Promise<string | null>;
}

/** One moment of a client. A new object whenever anything in it changes. */
export interface LiveClientState {
  readonly connection: Connection;
  /** The last numbers heard; kept while the connection is away. */
  readonly numbers: LiveNumbers;
  /** How long a session counts as watching after its last beat, seconds; null before the first welcome. */
  readonly liveWindowSeconds: number | null;
}

/** A connection that has not given a snapshot after this long is given up, ms: twice a slow phone's handshake. Ours. */
export const SNAPSHOT_WAIT_MS = 15_000;
/** A ping unanswered for this long means a dead or hopelessly slow connection, ms: several round trips of a bad mobile network. Ours. */
export const PONG_WAIT_MS = 10_000;
/** A connection that lasted this long was a good one: the next loss starts counting from 0, ms. Ours. */
export const GOOD_CONNECTION_MS = 10_000;
/** Bounds of the ping interval, whatever a server asks for, seconds. */
const PING_SECONDS = { least: 5, most: 300 };

/** Keeps one live connection and everything heard over it. Start it once; stop it when it is no longer needed. */
export class LiveClient {
  readonly #options: LiveClientOptions;
  readonly #platform: Platform;
  readonly #listeners = new Set<(state: LiveClientState) => void>();
  #state: LiveClientState = { connection: { phase: "idle" }, numbers: nothingKnown, liveWindowSeconds: null };
  #socket: Socket | null = null;
  /** Rises with every attempt and loss: what belongs to an older one is ignored. */
  #generation = 0;
  #failures = 0;
  #unreachableInARow = 0;
  #renewToken = false;
  #pingIntervalMs = 25_000;
  #receiptEvery = Infinity;
  /** Characters of frames received on this connection, and how many of them were said to be. */
  #received = 0;
  #confirmed = 0;
  #cancelWait = () => {};
  #cancelPing = () => {};
  #cancelDeadline = () => {};

  constructor(options: LiveClientOptions, platform: Platform = standardPlatform) {
    this.#options = options;
    this.#platform = platform;
  }

  /** The present state. */
  get state(): LiveClientState {
    return this.#state;
  }

  /** Calls back with every later state; the function given back ends that. */
  subscribe(listener: (state: LiveClientState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The states from now on as a stream: the present one, then always the newest, skipping those nobody waited for. */
  async *states(): AsyncGenerator<LiveClientState, void> {
    let wake: (() => void) | null = null;
    const unsubscribe = this.subscribe(() => wake?.());
    try {
      let last: LiveClientState | null = null;
      while (last === null || last.connection.phase !== "stopped") {
        if (last === this.#state) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        last = this.#state;
        yield last;
      }
    } finally {
      unsubscribe();
    }
  }

  /** Connects and stays connected. Does nothing when already started. */
  start(): void {
    const { phase } = this.#state.connection;
    if (phase === "idle" || phase === "stopped") {
      this.#failures = 0;
      this.#unreachableInARow = 0;
      void this.#connect();
    }
  }

  /** Closes the connection for good; the numbers stay readable. */
  stop(): void {
    this.#leaveSocket(1000);
    this.#show({ connection: { phase: "stopped", cause: "asked" } });
  }

  /** The network is back, or somebody looks again: tries at once, or makes sure that an open connection is alive. */
  wake(): void {
    const { phase } = this.#state.connection;
    if (phase === "waiting") {
      this.#cancelWait();
      void this.#connect();
    } else if (phase === "open") {
      this.#ping();
    }
  }

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    this.#show({ connection: { phase: "connecting", failures: this.#failures } });
    this.#expectWithin(SNAPSHOT_WAIT_MS);
    try {
      const token = await this.#options.token(this.#renewToken);
      if (generation !== this.#generation) {
        return;
      }
      this.#renewToken = false;
      if (token === null) {
        this.#lose({ ...recoveryFrom(4401), cause: "signed_out", stop: true });
        return;
      }
      this.#open(token, generation);
    } catch {
      // No token for the moment, or an address or token that no socket can be opened with.
      if (generation === this.#generation) {
        this.#lose({ ...recoveryFrom(1006), cause: "unreachable" });
      }
    }
  }

  #open(token: string, generation: number): void {
    const lastAlert = this.#state.numbers.alerts.at(-1);
    const url = lastAlert ? `${this.#options.url}?since=${encodeURIComponent(lastAlert.alertId)}` : this.#options.url;
    const socket = this.#platform.openSocket(url, [LIVE_PROTOCOL, BEARER_PROTOCOL_PREFIX + token]);
    this.#socket = socket;
    this.#receiptEvery = Infinity;
    this.#received = 0;
    this.#confirmed = 0;
    let accepted = false;
    const whenCurrent = (act: () => void) => {
      if (generation === this.#generation) {
        act();
      }
    };
    socket.addEventListener("open", () =>
      whenCurrent(() => {
        accepted = true;
        this.#unreachableInARow = 0;
      }),
    );
    socket.addEventListener("message", ({ data }) => whenCurrent(() => this.#hear(data)));
    socket.addEventListener("close", ({ code }) =>
      whenCurrent(() => this.#lose(accepted ? recoveryFrom(code) : this.#recoveryFromRefusal())),
    );
  }

  /** Browsers do not say why a handshake failed. It may have been the token, so the second time it is renewed. */
  #recoveryFromRefusal(): Recovery {
    this.#unreachableInARow += 1;
    return { ...recoveryFrom(1006), cause: "unreachable", renewToken: this.#unreachableInARow === 2 };
  }

  #hear(data: unknown): void {
    if (data === "pong") {
      this.#hearPong();
      return;
    }
    const text = typeof data === "string" ? data : "";
    let frame: ServerFrame | null = null;
    try {
      frame = readFrame(JSON.parse(text));
    } catch {
      // What cannot be read may have been a change, so the counts would be wrong from here on: begin afresh.
      this.#lose(recoveryFrom(4400));
      return;
    }
    if (frame?.type === "welcome") {
      this.#greet(frame);
    } else if (frame) {
      this.#apply(frame);
    }
    this.#confirm(text.length);
  }

  /** Only a pong says how far behind a connection is: frames that come meanwhile may have been sent minutes ago. */
  #hearPong(): void {
    if (this.#state.connection.phase === "open") {
      this.#cancelDeadline();
    }
  }

  #confirm(characters: number): void {
    this.#received += characters;
    if (this.#received - this.#confirmed >= this.#receiptEvery) {
      this.#confirmed = this.#received;
      this.#socket?.send(JSON.stringify({ type: "receipt", characters: this.#received } satisfies Receipt));
    }
  }

  #greet(welcome: Extract<ServerFrame, { type: "welcome" }>): void {
    const seconds = Math.min(PING_SECONDS.most, Math.max(PING_SECONDS.least, welcome.pingIntervalSeconds));
    this.#pingIntervalMs = seconds * 1_000;
    this.#receiptEvery = welcome.receiptEveryCharacters ?? Infinity;
    this.#show({ liveWindowSeconds: welcome.liveWindowSeconds });
  }

  #apply(frame: ServerFrame): void {
    if (this.#state.connection.phase === "connecting") {
      if (frame.type !== "snapshot") {
        return;
      }
      this.#cancelDeadline();
      this.#schedulePing();
      // A hub that lost its storage may reuse an epoch's name, so the first snapshot of a connection always counts.
      const numbers = applyFrame({ ...this.#state.numbers, epoch: null }, frame);
      this.#show({ numbers, connection: { phase: "open", since: this.#platform.now() } });
      return;
    }
    const numbers = applyFrame(this.#state.numbers, frame);
    if (numbers !== this.#state.numbers) {
      this.#show({ numbers });
    }
  }

  #schedulePing(): void {
    this.#cancelPing();
    this.#cancelPing = this.#platform.after(this.#pingIntervalMs, () => this.#ping());
  }

  /** The wait starts with the ping, not with the last frame: a sleeping tab's late timers then look like no silence. */
  #ping(): void {
    this.#socket?.send("ping");
    this.#expectWithin(PONG_WAIT_MS);
    this.#schedulePing();
  }

  #expectWithin(waitMs: number): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#platform.after(waitMs, () => {
      this.#lose({ ...recoveryFrom(1006), cause: "silent" });
    });
  }

  #lose(recovery: Recovery): void {
    const { connection } = this.#state;
    if (connection.phase === "open" && this.#platform.now() - connection.since >= GOOD_CONNECTION_MS) {
      this.#failures = 0;
    }
    this.#leaveSocket(recovery.cause === "malformed" ? 4400 : 1000);
    if (recovery.stop) {
      this.#show({ connection: { phase: "stopped", cause: recovery.cause } });
      return;
    }
    this.#renewToken ||= recovery.renewToken;
    this.#waitAfter(
      recovery.cause,
      backOffMs(this.#failures, () => this.#platform.random(), recovery.minimumMs),
    );
  }

  #waitAfter(cause: LossCause, delayMs: number): void {
    this.#failures += 1;
    const retryAt = this.#platform.now() + delayMs;
    this.#show({ connection: { phase: "waiting", cause, failures: this.#failures, retryAt } });
    this.#cancelWait = this.#platform.after(delayMs, () => void this.#connect());
  }

  /** A dead connection's own close event may come minutes later or never: nothing is expected of it any more. */
  #leaveSocket(code: number): void {
    this.#generation += 1;
    this.#cancelWait();
    this.#cancelPing();
    this.#cancelDeadline();
    this.#socket?.close(code);
    this.#socket = null;
  }

  #show(change: Partial<LiveClientState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) {
      listener(this.#state);
    }
  }
}
