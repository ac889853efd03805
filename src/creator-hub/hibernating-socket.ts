// A hibernating WebSocket as the hub's core sees it. What is known of it travels in its attachment.
import { z } from "zod";
import type { HubSocket, SocketInfo } from "./audience.ts";

const attachmentSchema = z.object({
  connectionId: z.string(),
  tokenExpiresAt: z.number(),
  connectedAt: z.number(),
});

/** One socket of a hub. Never throws: a socket may be gone at any moment. */
export class HibernatingSocket implements HubSocket {
  readonly info: SocketInfo;
  readonly #socket: WebSocket;
  readonly #lastPingAt: () => Date | null;

  private constructor(socket: WebSocket, info: SocketInfo, ctx: DurableObjectState) {
    this.#socket = socket;
    this.info = info;
    this.#lastPingAt = () => ctx.getWebSocketAutoResponseTimestamp(socket);
  }

  /** Accepts a new socket. */
  static accept(socket: WebSocket, info: SocketInfo, ctx: DurableObjectState): HibernatingSocket {
    ctx.acceptWebSocket(socket);
    socket.serializeAttachment(info);
    return new HibernatingSocket(socket, info, ctx);
  }

  /** A socket accepted earlier, perhaps by an instance that is gone; null when it is not one of ours. */
  static restore(socket: WebSocket, ctx: DurableObjectState): HibernatingSocket | null {
    const info = attachmentSchema.safeParse(socket.deserializeAttachment());
    return info.success ? new HibernatingSocket(socket, info.data, ctx) : null;
  }

  isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(text: string): void {
    // No look at `readyState` before: that asks the runtime once more for every frame and socket.
    try {
      this.#socket.send(text);
    } catch {
      // It is closed: its close event is on its way. On a dead connection `send` is ignored.
    }
  }

  close(code: number, reason: string): void {
    try {
      this.#socket.close(code, reason);
    } catch {
      // It is closed already.
    }
  }

  lastPingAt(): number | null {
    return this.#lastPingAt()?.getTime() ?? null;
  }
}
