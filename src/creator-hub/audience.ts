// The open sockets of one hub: who is there, who has to go, and one text to all of them.
import { closeCodes, PING_INTERVAL_SECONDS } from "../contract/live-frames.ts";

/** A client pings every 25 s; after three missed ones and some slack its connection is taken for dead. */
export const IDLE_LIMIT_MS = 3 * PING_INTERVAL_SECONDS * 1_000 + 15_000;
/** How often dead sockets are looked for. The lease is renewed as often, so that one alarm does both. */
const SWEEP_INTERVAL_MS = 60_000;
/**
 * What a client has not confirmed waits in the object's memory, for all that is known. So much of each of 100 sockets
 * stays below the 128 MB that an object has: https://developers.cloudflare.com/workers/platform/limits/#memory
 */
const MAX_UNREAD_CHARACTERS = 1_048_576;

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

interface Listener {
  readonly socket: HubSocket;
  /** Characters sent to it, and of these received for certain, since this instance of the hub has known it. */
  sent: number;
  received: number;
}

/** The sockets of one hub. */
export class Audience {
  readonly #listeners = new Map<string, Listener>();
  #lastNumber = 0;
  #nextExpiryAt = Infinity;
  #sweepAt = Infinity;

  get size(): number {
    return this.#listeners.size;
  }

  /** An id that no socket of this hub bears: `c_` and a number. */
  nextConnectionId(): string {
    this.#lastNumber += 1;
    return `c_${this.#lastNumber}`;
  }

  add(socket: HubSocket, nowMs: number): void {
    const { connectionId, tokenExpiresAt } = socket.info;
    this.#listeners.set(connectionId, { socket, sent: 0, received: 0 });
    this.#lastNumber = Math.max(this.#lastNumber, Number(connectionId.slice(2)) || 0);
    this.#nextExpiryAt = Math.min(this.#nextExpiryAt, tokenExpiresAt);
    this.#sweepAt = Math.min(this.#sweepAt, nowMs + SWEEP_INTERVAL_MS);
  }

  remove(connectionId: string): void {
    this.#listeners.delete(connectionId);
  }

  /** Sends one text to every open socket. */
  broadcast(text: string): void {
    for (const listener of this.#listeners.values()) {
      this.#send(listener, text);
    }
  }

  /** Sends one text to one of the sockets. */
  send(connectionId: string, text: string): void {
    const listener = this.#listeners.get(connectionId);
    if (listener !== undefined) {
      this.#send(listener, text);
    }
  }

  /**
   * Notes a client's receipt.
   * @param characters received on this connection in all, also of what an earlier instance of this hub sent
   */
  receipt(connectionId: string, characters: number): void {
    const listener = this.#listeners.get(connectionId);
    if (listener !== undefined) {
      listener.received = Math.max(listener.received, characters);
      listener.sent = Math.max(listener.sent, characters);
    }
  }

  #send(listener: Listener, text: string): void {
    const { socket } = listener;
    if (listener.sent - listener.received > MAX_UNREAD_CHARACTERS) {
      socket.close(closeCodes.tryLater, "too much is unread");
      this.#listeners.delete(socket.info.connectionId);
    } else {
      socket.send(text);
      listener.sent += text.length;
    }
  }

  /** When `dismiss` has something to do next; infinite without sockets. */
  nextDueAt(): number {
    return this.#listeners.size === 0 ? Infinity : Math.min(this.#nextExpiryAt, this.#sweepAt);
  }

  /** Closes sockets whose token has expired or whose client is silent, and forgets those that are gone. */
  dismiss(nowMs: number): void {
    // An instant further off is that of a clock that was set back since.
    this.#sweepAt = Math.min(this.#sweepAt, nowMs + SWEEP_INTERVAL_MS);
    if (nowMs < this.nextDueAt()) {
      return;
    }
    this.#nextExpiryAt = Infinity;
    this.#sweepAt = nowMs + SWEEP_INTERVAL_MS;
    for (const [connectionId, { socket }] of this.#listeners) {
      const { tokenExpiresAt, connectedAt } = socket.info;
      if (tokenExpiresAt <= nowMs) {
        socket.close(closeCodes.tokenExpired, "token expired");
      } else if (Math.max(connectedAt, socket.lastPingAt() ?? 0) + IDLE_LIMIT_MS <= nowMs) {
        socket.close(closeCodes.idle, "no ping");
      }
      if (socket.isOpen()) {
        this.#nextExpiryAt = Math.min(this.#nextExpiryAt, tokenExpiresAt);
      } else {
        this.#listeners.delete(connectionId);
      }
    }
  }
}
