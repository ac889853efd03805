// The floor of the fan-out benchmark: sockets, and a loop that sends one text to each. No state, no checks, no token.
import { DurableObject } from "cloudflare:workers";

export class BareHub extends DurableObject {
  fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  broadcast(text) {
    for (const socket of this.ctx.getWebSockets()) {
      socket.send(text);
    }
  }
}

// oxlint-disable-next-line import/no-default-export -- a Worker is its default export
export default {
  fetch(request, env) {
    return env.BARE_HUB.getByName(new URL(request.url).pathname).fetch(request);
  },
};
