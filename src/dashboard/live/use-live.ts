// The live client's life within the page: one per session, woken when the network or the reader comes back.
import { useEffect, useState } from "preact/hooks";
import { LiveClient, type LiveClientState } from "../live-client/live-client.ts";
import type { Config } from "../session/config.ts";
import type { Session } from "../session/session.ts";
import { standingOf, type Standing } from "./standing.ts";

/** Makes the client of this page's own origin. */
export function liveClientOf(config: Config, session: Session): LiveClient {
  const url = new URL(config.socketPath, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new LiveClient({ url: url.href, token: (renew) => session.accessToken(renew) });
}

/** Runs the client while the page shows it, and gives its present state. */
export function useLive(client: LiveClient): LiveClientState {
  const [state, setState] = useState(client.state);
  useEffect(() => {
    const unsubscribe = client.subscribe(setState);
    const wake = () => {
      if (document.visibilityState === "visible") {
        client.wake();
      }
    };
    addEventListener("online", wake);
    document.addEventListener("visibilitychange", wake);
    client.start();
    return () => {
      removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", wake);
      unsubscribe();
      client.stop();
    };
  }, [client]);
  return state;
}

/** A renewal of the token or a moment in a tunnel is over before anybody needs to hear of it, ms. Ours. */
const PATIENCE_MS = 1_500;

/** The standing to show: a lost connection that was live a moment ago gets that moment to come back. */
export function useStanding(state: LiveClientState): Standing {
  const standing = standingOf(state);
  const [shown, setShown] = useState(standing);
  const patient = standing.kind === "reconnecting" && shown.kind !== "reconnecting";
  useEffect(() => {
    const timer = setTimeout(() => setShown(standing), patient ? PATIENCE_MS : 0);
    return () => clearTimeout(timer);
  }, [standing.kind, standing.detail]);
  return patient ? shown : standing;
}
