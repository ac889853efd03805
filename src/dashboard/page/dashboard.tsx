// The signed-in page: the live panel and the overview, side by side and independent of each other.
import { useMemo } from "preact/hooks";
import { liveClientOf, useLive } from "../live/use-live.ts";
import { busiest } from "../live/live-items.tsx";
import { LivePanel } from "../live/live-panel.tsx";
import { useTitles } from "../live/use-titles.ts";
import { OverviewSection } from "../overview/overview-section.tsx";
import type { Config } from "../session/config.ts";
import type { Session } from "../session/session.ts";
import { Icon } from "./icon.tsx";
import { useNow } from "./use-now.ts";

/** One creator's dashboard. */
export function Dashboard({ config, session }: { config: Config; session: Session }) {
  const client = useMemo(() => liveClientOf(config, session), [config, session]);
  const live = useLive(client);
  const titles = useTitles(session, [
    ...busiest(live.numbers.content).map((item) => item.contentId),
    ...live.numbers.alerts.map((alert) => alert.contentId),
  ]);
  const now = useNow(30_000);
  const { timeZone } = session;
  return (
    <>
      <header class="top-bar-page">
        <h1>
          <span class="mark" aria-hidden="true" />
          Creator Dashboard
        </h1>
        <button type="button" class="button button-plain" onClick={() => void session.signOut()}>
          <Icon name="sign-out" />
          Sign out
        </button>
      </header>
      <main class="columns">
        <LivePanel state={live} titles={titles} timeZone={timeZone} now={now} retry={() => client.wake()} />
        <OverviewSection
          session={session}
          timeZone={timeZone}
          version={live.numbers.epoch === null ? null : live.numbers.revenue.version}
          now={now}
        />
      </main>
    </>
  );
}
