// The open sockets of one hub: who is there, who has to go, and one text to all of them.
import { closeCodes, PING_INTERVAL_SECONDS } from "../contract/live-frames.ts";

/** A client pings every 25 s; after three missed ones and some slack its connection is taken for dead. */
export const IDLE_LIMIT_MS = 3 * PING_INTERVAL_SECONDS * 1_000 + 15_000;
/** How often dead sockets are looked for. The lease is renewed as often, so that one alarm does both. */
const SWEEP_INTERVAL_MS = 60_000;

/** What is known of a socket, kept with it through hibernation. Instants are ms since the Unix epoch. */
export interface SocketInfo {
  connectionId: string;
  tokenExpiresAt: number;
  connectedAt: number;
}

/** One socket. Nothing here throws: a socket may be gone at any moment. */
export interface HubSocket {
  readonly info: SocketInfo;
  /** False once either side has begun to close it. */
  isOpen(): boolean;
  send(text: string): void;
  close(code: number, reason: string): void;
  /** When the client was last heard, in ms since the Unix epoch; null when it has not pinged yet. */
  lastPingAt(): number | null;
}

/** The sockets of one hub. */
export class Audience {
  readonly #sockets = new Map<string, HubSocket>();
  #lastNumber = 0;
  #nextExpiryAt = Infinity;
  #sweepAt = Infinity;

  get size(): number {
    return this.#sockets.size;
  }

  /** An id that no socket of this hub bears: `c_` and a number. */
  nextConnectionId(): string {
    this.#lastNumber += 1;
    return `c_${this.#lastNumber}`;
  }

  add(socket: HubSocket, nowMs: number): void {
    const { connectionId, tokenExpiresAt } = socket.info;
    this.#sockets.set(connectionId, socket);
    this.#lastNumber = Math.max(this.#lastNumber, Number(connectionId.slice(2)) || 0);
    this.#nextExpiryAt = Math.min(this.#nextExpiryAt, tokenExpiresAt);
    this.#sweepAt = Math.min(this.#sweepAt, nowMs + SWEEP_INTERVAL_MS);
  }

  remove(connectionId: string): void {
    this.#sockets.delete(connectionId);
  }

  /** Sends one text to every open socket. */
  broadcast(text: string): void {
    for (const socket of this.#sockets.values()) {
      socket.send(text);
    }
  }

  /** When `dismiss` has something to do next; infinite without sockets. */
  nextDueAt(): number {
    return this.#sockets.size === 0 ? Infinity : Math.min(this.#nextExpiryAt, this.#sweepAt);
  }

  /** Closes sockets whose token has expired or whose client is silent, and forgets those that are gone. */
  dismiss(nowMs: number): void {
    if (nowMs < this.nextDueAt()) {
      return;
    }
    this.#nextExpiryAt = Infinity;
    this.#sweepAt = nowMs + SWEEP_INTERVAL_MS;
    for (const [connectionId, socket] of this.#sockets) {
      const { tokenExpiresAt, connectedAt } = socket.info;
      if (tokenExpiresAt <= nowMs) {
        socket.close(closeCodes.tokenExpired, "token expired");
      } else if (Math.max(connectedAt, socket.lastPingAt() ?? 0) + IDLE_LIMIT_MS <= nowMs) {
        socket.close(closeCodes.idle, "no ping");
      }
      if (socket.isOpen()) {
        this.#nextExpiryAt = Math.min(this.#nextExpiryAt, tokenExpiresAt);
      } else {
        this.#sockets.delete(connectionId);
      }
    }
  }
}
