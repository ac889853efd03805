// The receiving side of the fan-out benchmark: many sockets, and when the last of them got a certain frame.
import { WebSocket } from "ws";
import { type Receipt, RECEIPT_EVERY_CHARACTERS } from "../../src/contract/live-frames.ts";

/** Sockets opened at once. */
const OPENED_AT_ONCE = 50;
/** Far more than any makespan worth reporting. */
const FRAME_LIMIT_MS = 20_000;

/** Where and how to open a socket. */
export interface SocketTarget {
  readonly url: string;
  readonly protocols: string[];
  readonly headers: Record<string, string>;
  /** Whether a hub is there that wants to know how much was received. */
  readonly wantsReceipts: boolean;
}

/** Many sockets to one hub. */
export class SocketCrowd {
  readonly #target: SocketTarget;
  readonly #sockets: WebSocket[] = [];
  /** What an awaited frame contains; null while none is awaited. */
  #wanted: Buffer | null = null;
  #missing = 0;
  #arrived: (at: number) => void = () => undefined;
  /** Length of the last awaited frame, bytes. */
  frameBytes = 0;

  constructor(target: SocketTarget) {
    this.#target = target;
  }

  get size(): number {
    return this.#sockets.length;
  }

  /** Opens sockets until there are so many. */
  async fill(size: number): Promise<void> {
    while (this.#sockets.length < size) {
      const count = Math.min(OPENED_AT_ONCE, size - this.#sockets.length);
      const opened = Array.from({ length: count }, () => this.#open());
      this.#sockets.push(...opened);
      await Promise.all(opened.map((socket) => opening(socket)));
    }
  }

  /**
   * From the call of `send` until every socket has got a frame that contains the text.
   * @returns milliseconds
   */
  async makespan(text: string, send: () => Promise<unknown>): Promise<number> {
    this.#wanted = Buffer.from(text);
    this.#missing = this.#sockets.length;
    const last = new Promise<number>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.#missing} sockets never got a frame with ${text}`)),
        FRAME_LIMIT_MS,
      );
      this.#arrived = (at) => {
        clearTimeout(timer);
        resolve(at);
      };
    });
    const sent = performance.now();
    const [at] = await Promise.all([last, send()]);
    this.#wanted = null;
    return at - sent;
  }

  /**
   * Cuts the connection at a place, as a network does, and opens another in its place.
   * @returns milliseconds from the new attempt to its snapshot, and that frame
   */
  async replace(place: number): Promise<{ ms: number; snapshot: string }> {
    this.#sockets[place]?.terminate();
    const started = performance.now();
    const socket = this.#open();
    this.#sockets[place] = socket;
    return new Promise((resolve, reject) => {
      const take = (data: Buffer) => {
        const frame = data.toString();
        if (frame.includes('"type":"snapshot"')) {
          socket.off("message", take);
          resolve({ ms: performance.now() - started, snapshot: frame });
        }
      };
      socket.on("message", take);
      socket.once("error", reject);
    });
  }

  close(): void {
    for (const socket of this.#sockets) {
      socket.terminate();
    }
  }

  #open(): WebSocket {
    const { url, protocols, headers, wantsReceipts } = this.#target;
    const socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false });
    let [received, confirmed] = [0, 0];
    socket.on("message", (data: Buffer) => {
      received += data.length;
      if (wantsReceipts && received - confirmed >= RECEIPT_EVERY_CHARACTERS) {
        confirmed = received;
        socket.send(JSON.stringify({ type: "receipt", characters: received } satisfies Receipt));
      }
      if (this.#wanted !== null && data.includes(this.#wanted)) {
        this.#missing--;
        if (this.#missing === 0) {
          this.frameBytes = data.length;
          this.#arrived(performance.now());
        }
      }
    });
    return socket;
  }
}

function opening(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
}
