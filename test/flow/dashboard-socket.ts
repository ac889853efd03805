// A dashboard's socket as a program opens it. Keeps every frame and the newest state, and waits for conditions.
import { WebSocket } from "ws";
import { LIVE_PROTOCOL, type LiveTotals, type ServerFrame, serverFrameSchema } from "../../src/contract/live-frames.ts";

/** Longer than anything the product promises; a wait that lasts so long has failed. */
const WAIT_MS = 20_000;

/** An open socket. */
export class DashboardSocket {
  readonly frames: ServerFrame[] = [];
  totals: LiveTotals | undefined;
  state: "live" | "stale" | "unavailable" = "unavailable";
  readonly #socket: WebSocket;
  readonly #waiting = new Set<() => void>();
  closedWith: number | undefined;

  constructor(apiUrl: string, token: string, search = "") {
    this.#socket = new WebSocket(`${apiUrl.replace("http", "ws")}/ws/creator/live-metrics${search}`, [LIVE_PROTOCOL], {
      headers: { authorization: `Bearer ${token}` },
    });
    this.#socket.on("message", (data: Buffer) => this.#take(serverFrameSchema.parse(JSON.parse(data.toString()))));
    this.#socket.on("close", (code) => {
      this.closedWith = code;
      this.#wake();
    });
    this.#socket.on("error", () => this.#wake());
  }

  #take(frame: ServerFrame): void {
    this.frames.push(frame);
    if (frame.type === "snapshot" || frame.type === "metrics") {
      this.totals = frame.totals;
    }
    if (frame.type === "snapshot" || frame.type === "status") {
      this.state = frame.state;
    }
    this.#wake();
  }

  #wake(): void {
    for (const check of this.#waiting) {
      check();
    }
  }

  /** Resolves once `condition` holds; rejects with `what` and the last frames when it never does. */
  until(what: string, condition: (socket: this) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (condition(this)) {
          clearTimeout(timer);
          this.#waiting.delete(check);
          resolve();
        }
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        const last = JSON.stringify({ totals: this.totals, state: this.state, last: this.frames.slice(-3) });
        reject(new Error(`the socket never saw: ${what}; closed with ${this.closedWith}; ${last}`));
      }, WAIT_MS);
      this.#waiting.add(check);
      check();
    });
  }

  /** Resolves once the numbers are live. */
  live(): Promise<void> {
    return this.until("state live", ({ state }) => state === "live");
  }

  close(): void {
    this.#socket.terminate();
  }
}
