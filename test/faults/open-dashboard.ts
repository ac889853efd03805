// A dashboard that stays open through everything: the page's own client over a socket that can be cut.
import { WebSocket } from "ws";
import { LiveClient } from "../../src/dashboard/live-client/live-client.ts";
import { standardPlatform } from "../../src/dashboard/live-client/platform.ts";
import type { RunningProduct } from "./running-product.ts";
import type { Truth } from "./truth.ts";

/** One open dashboard. */
export class OpenDashboard {
  readonly creatorId: string;
  readonly name: string;
  readonly #client: LiveClient;
  #socket: WebSocket | undefined;
  #connections = 0;

  constructor(product: RunningProduct, creatorId: string, name: string) {
    this.creatorId = creatorId;
    this.name = `${name} of ${creatorId}`;
    const { apiUrl } = product.note;
    this.#client = new LiveClient(
      { url: `${apiUrl.replace("http", "ws")}/ws/creator/live-metrics`, token: () => product.token(creatorId) },
      { ...standardPlatform, openSocket: (url, protocols) => this.#open(url, protocols, apiUrl) },
    );
    this.#client.start();
  }

  #open(url: string, protocols: string[], origin: string): WebSocket {
    const socket = new WebSocket(url, protocols, { origin });
    // Without a listener a refused connection would end the process; the client hears of it by the close that follows.
    socket.on("error", () => undefined);
    this.#socket = socket;
    this.#connections += 1;
    return socket;
  }

  get connections(): number {
    return this.#connections;
  }

  /** Cuts the connection as a network does, without a word. */
  cut(): void {
    this.#socket?.terminate();
  }

  isLive(): boolean {
    const { connection, numbers } = this.#client.state;
    return connection.phase === "open" && numbers.state === "live";
  }

  /**
   * In what the dashboard differs from the truth once everyone has left; empty when it shows exactly that.
   * @param mostAlerts how many of the newest alerts it shows
   */
  differences(truth: Truth, mostAlerts: number): string[] {
    const { connection, numbers } = this.#client.state;
    const differences: string[] = [];
    const compare = (what: string, shown: unknown, wanted: unknown) => {
      if (shown !== wanted) {
        differences.push(`${this.name}: ${what} is ${String(shown)}, not ${String(wanted)}`);
      }
    };
    compare("connection", connection.phase, "open");
    compare("state", numbers.state, "live");
    compare("live viewers", numbers.totals.liveViewers, 0);
    const totals = truth.totals();
    for (const name of ["views", "likes", "shares", "completions", "watchSeconds", "items"] as const) {
      compare(name, numbers.totals[name], totals[name]);
    }
    for (const [contentId, item] of truth.items) {
      for (const name of ["views", "likes", "shares", "completions", "watchSeconds"] as const) {
        compare(`${contentId}'s ${name}`, numbers.content.get(contentId)?.[name], item[name]);
      }
    }
    compare("subscribers", numbers.subscribers.count, truth.subscribers);
    compare("revenue version", numbers.revenue.version, truth.revenueVersion);
    const alerts = numbers.alerts.map(({ reason }) => reason);
    compare("alerts", alerts.join(", "), truth.decisions.slice(-mostAlerts).join(", "));
    return differences;
  }

  close(): void {
    this.#client.stop();
  }
}
