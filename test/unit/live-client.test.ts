// The live client's connection against a scripted socket, clock and chance.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backOffMs, LONGEST_DELAY_MS, SHORTEST_DELAY_MS } from "../../src/dashboard/live-client/back-off.ts";
import {
  LiveClient,
  PONG_WAIT_MS,
  SNAPSHOT_WAIT_MS,
  type LiveClientState,
} from "../../src/dashboard/live-client/live-client.ts";
import type { Platform, Socket } from "../../src/dashboard/live-client/platform.ts";

const at = "2026-11-22T20:05:11.120Z";
const welcome = {
  type: "welcome",
  protocol: "creator-live.v1",
  connectionId: "c_1",
  epoch: "h_1",
  serverTime: at,
  pingIntervalSeconds: 25,
  liveWindowSeconds: 45,
};
const noTotals = {
  liveViewers: 7,
  views: null,
  likes: null,
  shares: null,
  completions: null,
  watchSeconds: null,
  items: null,
};

function snapshot(rest: Record<string, unknown> = {}) {
  return {
    type: "snapshot",
    epoch: "h_1",
    seq: 1,
    at,
    state: "live",
    reason: null,
    asOf: at,
    totals: noTotals,
    content: [],
    subscribers: { count: null, asOf: null },
    revenue: { version: 0, lastPaymentAt: null },
    alerts: [],
    ...rest,
  };
}

const alert = {
  alertId: "a 12",
  type: "moderation.decision",
  contentId: "cnt_07",
  decision: "restricted",
  reason: "…",
  policyUrl: null,
  appealBy: null,
  decidedAt: at,
};

interface Events {
  open: () => void;
  message: (event: { data: unknown }) => void;
  close: (event: { code: number }) => void;
}

class ScriptedSocket implements Socket {
  readonly url: string;
  readonly protocols: string[];
  readonly sent: string[] = [];
  closedWith: number | undefined;
  readonly #listeners: Partial<Events> = {};

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  addEventListener<T extends keyof Events>(type: T, listener: Events[T]): void {
    this.#listeners[type] = listener;
  }

  send(message: string): void {
    this.sent.push(message);
  }

  close(code?: number): void {
    this.closedWith = code ?? 1000;
  }

  accept(): void {
    this.#listeners.open?.();
  }

  says(frame: unknown): void {
    this.#listeners.message?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  /** The whole beginning of a good connection. */
  begin(first: unknown = snapshot(), greeting: unknown = welcome): void {
    this.accept();
    this.says(greeting);
    this.says(first);
  }

  drop(code: number): void {
    this.#listeners.close?.({ code });
  }
}

/** A world with one client in it, whose time stands still until told to pass. */
class World {
  readonly sockets: ScriptedSocket[] = [];
  readonly tokensAsked: boolean[] = [];
  token: () => Promise<string | null> = async () => "jwt";
  chance = 0.5;
  readonly client: LiveClient;
  #now = 1_000_000;
  #timers: { at: number; call: () => void }[] = [];

  constructor() {
    const platform: Platform = {
      now: () => this.#now,
      random: () => this.chance,
      after: (delayMs, call) => {
        const timer = { at: this.#now + delayMs, call };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
        };
      },
      openSocket: (url, protocols) => {
        const socket = new ScriptedSocket(url, protocols);
        this.sockets.push(socket);
        return socket;
      },
    };
    const token = (renew: boolean) => {
      this.tokensAsked.push(renew);
      return this.token();
    };
    this.client = new LiveClient({ url: "wss://example.test/ws/creator/live-metrics", token }, platform);
  }

  get socket(): ScriptedSocket {
    const socket = this.sockets.at(-1);
    if (!socket) {
      throw new Error("no socket was opened");
    }
    return socket;
  }

  get connection(): LiveClientState["connection"] {
    return this.client.state.connection;
  }

  get waitMs(): number {
    return this.connection.phase === "waiting" ? this.connection.retryAt - this.#now : Number.NaN;
  }

  /** Lets time pass, timer by timer, and the promises in between settle. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (!next) {
        break;
      }
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = next.at;
      next.call();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  async start(): Promise<ScriptedSocket> {
    this.client.start();
    await settle();
    return this.socket;
  }

  /** Waits as long as the client wants to, and gives the socket of its next attempt. */
  async nextAttempt(): Promise<ScriptedSocket> {
    await this.pass(this.waitMs);
    return this.socket;
  }
}

/** Token promises take a few turns of the microtask queue. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) {
    await Promise.resolve();
  }
}

test("it offers the protocol and the token as subprotocols, and never the token in the address", async () => {
  const world = new World();

  const socket = await world.start();

  expect(socket.url).toBe("wss://example.test/ws/creator/live-metrics");
  expect(socket.protocols).toEqual(["creator-live.v1", "bearer.jwt"]);
  expect(world.connection.phase).toBe("connecting");
});

test("it is open once the snapshot has arrived, and shows its numbers", async () => {
  const world = new World();
  const seen: LiveClientState[] = [];
  world.client.subscribe((state) => seen.push(state));
  const socket = await world.start();

  socket.accept();
  socket.says(welcome);

  expect(world.connection.phase).toBe("connecting");

  socket.says(snapshot());

  expect(world.connection.phase).toBe("open");
  expect(seen.at(-1)).toBe(world.client.state);
  expect(world.client.state.numbers.totals.liveViewers).toBe(7);
  expect(world.client.state.liveWindowSeconds).toBe(45);
});

test("it says ping at the server's interval, and an answered ping keeps the connection", async () => {
  const world = new World();
  const socket = await world.start();
  socket.begin();

  for (let minute = 0; minute < 3; minute += 1) {
    await world.pass(25_000);
    socket.says("pong");
  }

  expect(socket.sent).toEqual(["ping", "ping", "ping"]);
  expect(world.connection.phase).toBe("open");
});

test("a connection that does not answer is given up and made again", async () => {
  const world = new World();
  const socket = await world.start();
  socket.begin();

  await world.pass(25_000 + PONG_WAIT_MS);

  expect(socket.closedWith).toBe(1000);
  expect(world.connection).toMatchObject({ phase: "waiting", cause: "silent" });
  expect(world.client.state.numbers.totals.liveViewers).toBe(7);

  (await world.nextAttempt()).begin();

  expect(world.sockets).toHaveLength(2);
  expect(world.connection.phase).toBe("open");
});

test("a connection whose frames come so late that its pong does not come in time is made again", async () => {
  const world = new World();
  const socket = await world.start();
  socket.begin();

  await world.pass(25_000);
  socket.says(snapshot({ seq: 2 }));
  await world.pass(PONG_WAIT_MS);

  expect(world.connection).toMatchObject({ phase: "waiting", cause: "silent" });
});

const frameOf = (characters: number) => '{"type":"something.new"}'.padEnd(characters);
const receipt = (characters: number) => JSON.stringify({ type: "receipt", characters });

test("it says how much it has received as often as the service wants to know, on each connection from the start", async () => {
  const world = new World();
  const first = await world.start();
  const [greeting, beginning] = [{ ...welcome, receiptEveryCharacters: 1_000 }, snapshot()];
  const greeted = JSON.stringify(greeting).length + JSON.stringify(beginning).length;
  first.begin(beginning, greeting);
  expect(first.sent).toEqual([]);

  first.says(frameOf(1_000));
  first.says("pong");
  first.says(frameOf(900));
  first.says(frameOf(99));
  expect(first.sent).toEqual([receipt(greeted + 1_000)]);
  first.says(frameOf(50));
  expect(first.sent.at(-1)).toBe(receipt(greeted + 2_049));
  first.drop(1006);
  const second = await world.nextAttempt();
  second.begin(beginning, greeting);
  second.says(frameOf(1_000));

  expect(second.sent).toEqual([receipt(greeted + 1_000)]);
});

test("a service that wants no receipts gets none", async () => {
  const world = new World();
  const socket = await world.start();
  socket.begin();

  socket.says(frameOf(1_000_000));

  expect(socket.sent).toEqual([]);
});

test("a connection that gives no snapshot in time is given up", async () => {
  const world = new World();
  const socket = await world.start();
  socket.accept();
  socket.says(welcome);

  await world.pass(SNAPSHOT_WAIT_MS);

  expect(world.connection).toMatchObject({ phase: "waiting", cause: "silent" });
});

test("what an abandoned socket still says is ignored", async () => {
  const world = new World();
  const first = await world.start();
  first.begin();
  first.drop(1006);
  (await world.nextAttempt()).begin(snapshot({ totals: { ...noTotals, liveViewers: 8 } }));

  first.says(snapshot({ seq: 99, totals: { ...noTotals, liveViewers: 1 } }));
  first.drop(4403);

  expect(world.client.state.numbers.totals.liveViewers).toBe(8);
  expect(world.connection.phase).toBe("open");
});

test("waits double with every failure up to the bound, and begin anew after a good connection", async () => {
  const world = new World();
  world.chance = 0.999_999;
  let socket = await world.start();
  const waits: number[] = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    socket.drop(1006);
    waits.push(world.waitMs);
    socket = await world.nextAttempt();
  }

  expect(waits).toEqual([600, 1_100, 2_100, 4_100, 8_100, 16_100, 30_100, 30_100]);

  socket.begin();
  await world.pass(11_000);
  socket.drop(1006);

  expect(world.waitMs).toBe(600);
});

test("a connection that is lost at once again and again does not reset the waits", async () => {
  const world = new World();
  world.chance = 0.999_999;
  let socket = await world.start();
  for (let attempt = 0; attempt < 4; attempt += 1) {
    socket.begin();
    socket.drop(1012);
    socket = await world.nextAttempt();
  }
  socket.begin();
  socket.drop(1012);

  expect(world.waitMs).toBe(8_100);
});

test("a wait is never shorter than its least and never longer than its bound", () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.nat({ max: 10_000 }), chance, (failures, random) => {
      const wait = backOffMs(failures, () => random);

      expect(wait).toBeGreaterThanOrEqual(SHORTEST_DELAY_MS);
      expect(wait).toBeLessThanOrEqual(LONGEST_DELAY_MS + SHORTEST_DELAY_MS);
    }),
  );
});

test("the next connection asks for the alerts after the last one seen", async () => {
  const world = new World();
  const socket = await world.start();
  socket.begin(snapshot({ alerts: [alert] }));

  socket.drop(1006);
  const next = await world.nextAttempt();

  expect(next.url).toBe("wss://example.test/ws/creator/live-metrics?since=a%2012");
});

test("the first snapshot of a connection counts even when epoch and number look old", async () => {
  const world = new World();
  const socket = await world.start();
  socket.begin(snapshot({ seq: 50 }));

  socket.drop(1006);
  (await world.nextAttempt()).begin(snapshot({ seq: 1, totals: { ...noTotals, liveViewers: 3 } }));

  expect(world.client.state.numbers.totals.liveViewers).toBe(3);
});

test("an expired token is renewed before the next attempt, and only then", async () => {
  const world = new World();
  const socket = await world.start();
  socket.begin();

  socket.drop(4401);

  expect(world.connection).toMatchObject({ phase: "waiting", cause: "token_expired" });

  (await world.nextAttempt()).begin();
  world.socket.drop(1006);
  await world.nextAttempt();

  expect(world.tokensAsked).toEqual([false, true, false]);
});

test("a second refused handshake in a row asks for a new token once, since browsers hide the reason", async () => {
  const world = new World();
  let socket = await world.start();
  for (let attempt = 0; attempt < 4; attempt += 1) {
    socket.drop(1006);
    socket = await world.nextAttempt();
  }

  expect(world.tokensAsked).toEqual([false, false, true, false, false]);
});

test("a token that cannot be had for the moment is asked for again, still as a renewal", async () => {
  const world = new World();
  const socket = await world.start();
  socket.begin();
  world.token = async () => {
    throw new Error("the issuer is away");
  };
  socket.drop(4401);
  await world.pass(world.waitMs);

  expect(world.connection).toMatchObject({ phase: "waiting", cause: "unreachable" });

  world.token = async () => "new";
  const next = await world.nextAttempt();

  expect(next.protocols[1]).toBe("bearer.new");
  expect(world.tokensAsked).toEqual([false, true, true]);
});

test("without anybody signed in it stops", async () => {
  const world = new World();
  world.token = async () => null;
  world.client.start();
  await settle();

  expect(world.sockets).toHaveLength(0);
  expect(world.connection).toEqual({ phase: "stopped", cause: "signed_out" });
});

test("it stops for good when the account is no longer a creator's", async () => {
  const world = new World();
  const socket = await world.start();
  socket.begin();

  socket.drop(4403);
  await world.pass(3_600_000);

  expect(world.connection).toEqual({ phase: "stopped", cause: "forbidden" });
  expect(world.sockets).toHaveLength(1);
});

test.each([
  [1013, "try_later", 5_000],
  [4429, "too_many_sockets", 30_000],
  [4408, "idle", 100],
  [1012, "restart", 100],
  [4999, "dropped", 100],
] as const)("close code %i is understood as %s and waits at least %i ms", async (code, cause, least) => {
  const world = new World();
  world.chance = 0;
  const socket = await world.start();
  socket.begin();

  socket.drop(code);

  expect(world.connection).toMatchObject({ phase: "waiting", cause });
  expect(world.waitMs).toBe(least);
});

test.each(["{", '{"type":"metrics"}', "[]", "", '{"type":"snapshot","epoch":1}'])(
  "the unreadable message %j ends the connection, since a change may have been lost",
  async (message) => {
    const world = new World();
    const socket = await world.start();
    socket.begin();

    socket.says(message);

    expect(socket.closedWith).toBe(4400);
    expect(world.connection).toMatchObject({ phase: "waiting", cause: "malformed" });
  },
);

test("waking up while waiting tries at once, and while connected makes sure that somebody is there", async () => {
  const world = new World();
  const socket = await world.start();
  socket.drop(1006);

  world.client.wake();
  await settle();

  expect(world.sockets).toHaveLength(2);

  world.socket.begin();
  world.client.wake();

  expect(world.socket.sent).toEqual(["ping"]);

  await world.pass(PONG_WAIT_MS);

  expect(world.connection).toMatchObject({ phase: "waiting", cause: "silent" });
});

test("stopping closes the socket, ends every timer, and it can be started again", async () => {
  const world = new World();
  const socket = await world.start();
  socket.begin();

  world.client.stop();
  await world.pass(3_600_000);

  expect(socket.closedWith).toBe(1000);
  expect(socket.sent).toEqual([]);
  expect(world.connection).toEqual({ phase: "stopped", cause: "asked" });

  (await world.start()).begin();

  expect(world.connection.phase).toBe("open");
});

test("stopping while the token is on its way opens no socket", async () => {
  const world = new World();
  world.client.start();
  world.client.stop();
  await settle();

  expect(world.sockets).toHaveLength(0);
});

test("an interval no server should ask for is bounded", async () => {
  const world = new World();
  const socket = await world.start();
  socket.accept();
  socket.says({ ...welcome, pingIntervalSeconds: 0 });
  socket.says(snapshot());

  await world.pass(4_000);

  expect(socket.sent).toEqual([]);

  await world.pass(1_000);

  expect(socket.sent).toEqual(["ping"]);
});

test("as a stream it gives the present state, then the newest ones, and ends when stopped", async () => {
  const world = new World();
  const phases: string[] = [];
  const reading = (async () => {
    for await (const state of world.client.states()) {
      phases.push(state.connection.phase);
    }
  })();
  await settle();
  const socket = await world.start();
  socket.begin();
  await settle();
  world.client.stop();
  await reading;

  expect(phases).toEqual(["idle", "connecting", "open", "stopped"]);
});
