// What is happening right now, and how far to trust it.
import type { LiveTotals } from "../../contract/live-frames.ts";
import { formatInstant } from "../format/instants.ts";
import { formatCount, formatDuration } from "../format/numbers.ts";
import type { LiveClientState } from "../live-client/live-client.ts";
import { Icon, type IconName } from "../page/icon.tsx";
import { Known } from "../page/unknown.tsx";
import { busiest, LiveItems } from "./live-items.tsx";
import { Notices } from "./notices.tsx";
import { StandingAnnouncement, StandingBadge } from "./standing-badge.tsx";
import { useStanding } from "./use-live.ts";

const counters: { key: Exclude<keyof LiveTotals, "liveViewers" | "items">; label: string; icon: IconName }[] = [
  { key: "views", label: "Views", icon: "views" },
  { key: "watchSeconds", label: "Watch time", icon: "watch-time" },
  { key: "likes", label: "Likes", icon: "likes" },
  { key: "shares", label: "Shares", icon: "shares" },
];

interface LivePanelProps {
  state: LiveClientState;
  titles: ReadonlyMap<string, string>;
  timeZone: string;
  now: number;
  /** Tries to connect at once. */
  retry: () => void;
}

/** The live panel. Its numbers stay when the connection goes, marked with the time at which they were true. */
export function LivePanel({ state, titles, timeZone, now, retry }: LivePanelProps) {
  const standing = useStanding(state);
  const { numbers, connection, liveWindowSeconds } = state;
  const moving = standing.kind === "live";
  const items = busiest(numbers.content);
  const since = [...numbers.content.values()].map((item) => item.since).toSorted()[0];
  return (
    <section class={`card live ${moving ? "" : "resting"}`} aria-labelledby="live-heading">
      <header class="card-head">
        <h2 id="live-heading">Right now</h2>
        <StandingBadge standing={standing} asOf={numbers.asOf} timeZone={timeZone} />
      </header>
      <StandingAnnouncement standing={standing} />
      <p class="watching">
        <span class="watching-count">
          <Known value={numbers.totals.liveViewers} format={formatCount} reason={standing.detail} />
        </span>
        <span class="watching-label">{moving ? "watching now" : "were watching"}</span>
      </p>
      <p class="quiet small">
        {liveWindowSeconds === null
          ? standing.detail
          : `Sessions heard from in the last ${liveWindowSeconds} seconds, each counted once.`}
      </p>
      {!moving && (
        <p class="standing-detail">
          {standing.detail}
          {connection.phase === "waiting" && connection.failures > 2 && (
            <button type="button" class="button" onClick={retry}>
              Try now
            </button>
          )}
        </p>
      )}
      <dl class="counters">
        {counters.map(({ key, label, icon }) => (
          <div key={key}>
            <dt>
              <Icon name={icon} />
              {label}
            </dt>
            <dd>
              <Known
                value={numbers.totals[key]}
                format={key === "watchSeconds" ? formatDuration : formatCount}
                reason={standing.detail}
              />
            </dd>
          </div>
        ))}
        <div class="wide">
          <dt>
            <Icon name="subscribers" />
            Subscribers
          </dt>
          <dd>
            <Known
              value={numbers.subscribers.count}
              format={formatCount}
              reason="No count of subscribers has been heard yet."
            />
          </dd>
        </div>
      </dl>
      <Notices numbers={numbers} titles={titles} timeZone={timeZone} now={now} />
      {items.length > 0 && <LiveItems items={items} titles={titles} timeZone={timeZone} />}
      {since !== undefined && (
        <p class="quiet small">Counted since {formatInstant(since, timeZone, now)}, over items active lately.</p>
      )}
    </section>
  );
}
