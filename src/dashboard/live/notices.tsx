// What must not be missed: moderation decisions and streams that ended, newest first.
import type { Alert, StreamSummary } from "../../contract/live-frames.ts";
import { formatInstant } from "../format/instants.ts";
import { formatCount, formatCounted, formatDuration } from "../format/numbers.ts";
import type { LiveNumbers } from "../live-client/live-numbers.ts";
import { Icon } from "../page/icon.tsx";

const decisions: Readonly<Record<Alert["decision"], string>> = {
  approved: "was approved",
  restricted: "was restricted",
  removed: "was removed",
  demonetised: "no longer earns",
  reinstated: "was reinstated",
};

/** The newest few of each kind; a phone's screen is small. */
const SHOWN = 2;

interface NoticesProps {
  numbers: LiveNumbers;
  titles: ReadonlyMap<string, string>;
  timeZone: string;
  now: number;
}

/** A polite live region: a new decision is read once. */
export function Notices({ numbers, titles, timeZone, now }: NoticesProps) {
  const titleOf = (contentId: string) => titles.get(contentId) ?? contentId;
  const alerts = numbers.alerts.slice(-SHOWN).toReversed();
  const ended = numbers.endedStreams.slice(-SHOWN).toReversed();
  return (
    <div role="log" aria-label="Notices">
      <ul class="notices">
        {alerts.map((alert) => (
          <li key={alert.alertId}>
            <Icon name="notice" />
            <div>
              <p>
                <strong>{titleOf(alert.contentId)}</strong> {decisions[alert.decision]}: {alert.reason}
              </p>
              <p class="quiet small">
                Decided {formatInstant(alert.decidedAt, timeZone, now)}
                {alert.appealBy !== null && ` · appeal by ${formatInstant(alert.appealBy, timeZone, now)}`}
              </p>
            </div>
          </li>
        ))}
        {ended.map(({ contentId, summary }) => (
          <li key={contentId + summary.startedAt}>
            <Icon name="completions" />
            <div>
              <p>
                <strong>{titleOf(contentId)}</strong> ended. {inShort(summary)}
              </p>
              <p class="quiet small">
                {formatInstant(summary.startedAt, timeZone, now)} to {formatInstant(summary.endedAt, timeZone, now)}
              </p>
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}

function inShort(summary: StreamSummary): string {
  const about = summary.approximate ? "about " : "";
  return (
    `Peak ${about}${formatCount(summary.peakViewers)}, average ${about}${formatCount(summary.averageViewers)}, ` +
    `watched for ${formatDuration(summary.watchSeconds)}, ${formatCounted(summary.subscribersGained, "new subscriber")}.`
  );
}
