// What the page says about the live numbers' trustworthiness: the connection's word and the service's, made one.
import type { LiveReason } from "../../contract/live-frames.ts";
import type { LossCause } from "../live-client/connection.ts";
import type { LiveClientState } from "../live-client/live-client.ts";

/** How far to trust the numbers shown. `label` is a word or two, `detail` a sentence. */
export interface Standing {
  kind: "live" | "starting" | "stale" | "unavailable" | "connecting" | "reconnecting" | "stopped";
  label: string;
  detail: string;
}

const reasons: Readonly<Record<LiveReason, string>> = {
  starting: "The counts are being gathered.",
  reader_behind: "The counting is behind and is catching up.",
  reader_stalled: "The counting has stalled; the numbers are the last ones known.",
  source_stopped: "The source of the counts has stopped; the numbers are the last ones known.",
  gap: "Some events were lost before they could be counted.",
};

const losses: Readonly<Partial<Record<LossCause, string>>> = {
  too_many_sockets: "Too many dashboards of this account are open. Close one, and this one goes on.",
  try_later: "The service asked for a little patience.",
  restart: "The service is restarting.",
  token_expired: "The sign-in is being renewed.",
  malformed: "The last message made no sense; a fresh start follows.",
};

/** Pure: the same state always gives the same words. */
export function standingOf({ connection, numbers }: LiveClientState): Standing {
  switch (connection.phase) {
    case "open":
      return standingOfNumbers(numbers.state, numbers.reason);
    case "stopped":
      return stopped(connection.cause);
    case "idle":
    case "connecting":
    case "waiting": {
      const why = connection.phase === "waiting" ? losses[connection.cause] : undefined;
      return numbers.epoch === null
        ? { kind: "connecting", label: "Connecting", detail: why ?? "Asking for the latest numbers." }
        : {
            kind: "reconnecting",
            label: "Reconnecting",
            detail: why ?? "The connection was lost and is being made again.",
          };
    }
    default:
      return connection satisfies never;
  }
}

function standingOfNumbers(state: "live" | "stale" | "unavailable", reason: LiveReason | null): Standing {
  const detail = reason === null ? null : reasons[reason];
  switch (state) {
    case "live":
      return { kind: "live", label: "Live", detail: "Every change shows within a second." };
    case "stale":
      return { kind: "stale", label: "Not current", detail: detail ?? "The numbers are the last ones known." };
    case "unavailable":
      return reason === "starting"
        ? { kind: "starting", label: "Starting", detail: reasons.starting }
        : { kind: "unavailable", label: "Not available", detail: detail ?? "The counts are not available." };
    default:
      return state satisfies never;
  }
}

function stopped(cause: LossCause | "asked"): Standing {
  const detail =
    cause === "forbidden"
      ? "This account is no longer a creator’s."
      : "The sign-in has ended. Sign in again to see live numbers.";
  return { kind: "stopped", label: "Stopped", detail };
}
