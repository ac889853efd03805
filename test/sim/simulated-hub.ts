// Hosts one creator's hub as the platform would: built when it is first needed, evicted at any time, its storage kept,
// its sockets kept or cut.
import type { HubSocket, SocketInfo } from "../../src/creator-hub/audience.ts";
import { HubCore } from "../../src/creator-hub/hub-core.ts";
import { HubStorage } from "../../src/creator-hub/hub-storage.ts";
import type { WatchListPort } from "../../src/creator-hub/lease-keeper.ts";
import type { CreatorId } from "../../src/contract/ids.ts";
import { createLog } from "../../src/runtime/log.ts";
import { DashboardClient } from "./dashboard-client.ts";
import { Life } from "./life.ts";
import { MemorySql } from "./memory-sql.ts";
import type { SkewedClock } from "./skewed-clock.ts";
import type { Scheduler } from "./scheduler.ts";

const MAX_SOCKETS = 100;
const TOKEN_LIFE_MS = 400 * 86_400_000;

/** The object died in the middle of a call. */
class ObjectReset extends Error {}

class SimulatedSocket implements HubSocket {
  readonly info: SocketInfo;
  readonly client: DashboardClient;
  readonly #pingAt: () => number;
  #open = true;

  constructor(info: SocketInfo, client: DashboardClient, pingAt: () => number) {
    this.info = info;
    this.client = client;
    this.#pingAt = pingAt;
  }

  isOpen(): boolean {
    return this.#open;
  }

  send(text: string): void {
    if (this.#open) {
      this.client.receive(text);
    }
  }

  close(_code: number, _reason: string): void {
    this.#open = false;
  }

  lastPingAt(): number {
    return this.#pingAt();
  }
}

/** One hub and its dashboards. */
export class SimulatedHub {
  readonly creatorId: CreatorId;
  readonly clock: SkewedClock;
  readonly #scheduler: Scheduler;
  readonly #watchList: (life: Life) => WatchListPort;
  readonly #mayFall: () => boolean;
  readonly #sql = new MemorySql();
  #life = new Life();
  #core: HubCore | null = null;
  #sockets: SimulatedSocket[] = [];
  #alarm: () => void = () => undefined;
  #isCalled = false;

  constructor(
    creatorId: CreatorId,
    clock: SkewedClock,
    scheduler: Scheduler,
    watchList: (life: Life) => WatchListPort,
    chances: { diesAfterCommit: () => boolean; countsMayFall: () => boolean },
  ) {
    this.creatorId = creatorId;
    this.clock = clock;
    this.#scheduler = scheduler;
    this.#watchList = watchList;
    this.#mayFall = chances.countsMayFall;
    this.#sql.onCommit = () => {
      // What goes on after an answer has nobody here to catch the reset: an eviction stands in for it.
      if (this.#isCalled && chances.diesAfterCommit()) {
        throw new ObjectReset("the object was reset");
      }
    };
  }

  /** Every dashboard whose socket is open. */
  get clients(): DashboardClient[] {
    return this.#sockets.filter((socket) => socket.isOpen()).map((socket) => socket.client);
  }

  /** Calls the hub, which is built if it is not there and may die on the way. */
  call<T>(use: (core: HubCore) => T): T {
    this.#isCalled = true;
    try {
      return use(this.#built());
    } catch (error) {
      if (error instanceof ObjectReset) {
        this.evict(false);
      }
      throw error;
    } finally {
      this.#isCalled = false;
    }
  }

  /** The same where nobody waits for an answer. */
  #tell(use: (core: HubCore) => void): void {
    try {
      this.call(use);
    } catch (error) {
      if (!(error instanceof ObjectReset)) {
        throw error;
      }
    }
  }

  #built(): HubCore {
    if (this.#core === null) {
      const life = this.#life;
      const sockets = this.#sockets.filter((socket) => socket.isOpen());
      const storage = new HubStorage(this.#sql);
      this.#core = new HubCore(this.creatorId, sockets, MAX_SOCKETS, {
        clock: this.clock,
        storage,
        watchList: this.#watchList(life),
        alarm: { set: (atMs) => this.#setAlarm(atMs) },
        timers: { after: (ms, run) => void life.after(this.#scheduler, ms, () => this.#tell(run)) },
        log: createLog({}, () => undefined),
      });
    }
    return this.#core;
  }

  /** Opens a dashboard; it stays closed when the hub dies over it. */
  connect(): void {
    this.#tell((core) => {
      const info = core.describeSocket(this.clock.now() + TOKEN_LIFE_MS);
      const socket = new SimulatedSocket(info, new DashboardClient(info.connectionId, this.#mayFall), () =>
        this.clock.now(),
      );
      this.#sockets.push(socket);
      core.connect(socket, null);
    });
  }

  /** Closes a dashboard from the client's side. */
  disconnect(client: DashboardClient): void {
    const socket = this.#sockets.find((open) => open.client === client);
    if (socket) {
      this.#sockets = this.#sockets.filter((open) => open !== socket);
      socket.close(1000, "");
      this.#tell((core) => core.disconnected(client.connectionId));
    }
  }

  /** The object is gone, with everything in its memory. Sockets survive a hibernation, not a reset. */
  evict(keepSockets: boolean): void {
    this.#life.end();
    this.#life = new Life();
    this.#core = null;
    if (!keepSockets) {
      for (const socket of this.#sockets) {
        socket.close(1006, "");
      }
      this.#sockets = [];
    }
  }

  close(): void {
    this.#life.end();
    this.#alarm();
    this.#sql.close();
  }

  /** The durable alarm wakes the object if need be. */
  #setAlarm(atMs: number): void {
    this.#alarm();
    this.#alarm = this.#scheduler.after(atMs - this.clock.now(), () => this.#tell((core) => core.alarm()));
  }
}
