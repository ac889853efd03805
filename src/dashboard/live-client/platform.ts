// What the client needs of the outside: time, chance, timers and sockets. Injected, so that a test can script them all.

/** The part of the standard WebSocket that the client uses. */
export interface Socket {
  addEventListener(type: "open", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number }) => void): void;
  send(message: string): void;
  close(code?: number, reason?: string): void;
}

/** Clock, chance, timers and sockets of the place where the client runs. */
export interface Platform {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Calls back once after `delayMs`, unless the function given back is called first. */
  after(delayMs: number, callback: () => void): () => void;
  openSocket(url: string, protocols: string[]): Socket;
}

/** A browser, or Node 22 and newer: both have the standard WebSocket. */
export const standardPlatform: Platform = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  openSocket: (url, protocols) => new WebSocket(url, protocols),
};
