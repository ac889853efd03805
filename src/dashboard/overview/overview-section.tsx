// The overview: totals, one chart, revenue, the most viewed items, and when all of that was true.
import { useState } from "preact/hooks";
import { formatInstant, formatZone } from "../format/instants.ts";
import { Trouble, wordsFor } from "../page/trouble.tsx";
import type { Overview } from "../service/overview.ts";
import type { Session } from "../session/session.ts";
import { Chart } from "./chart.tsx";
import { FigureCards } from "./figure-cards.tsx";
import { figures, type Figure } from "./figures.ts";
import { RangePicker, rangeName, rangeOf } from "./range-picker.tsx";
import { RevenueCard } from "./revenue-card.tsx";
import { TopContent } from "./top-content.tsx";
import { useOverview } from "./use-overview.ts";

interface OverviewSectionProps {
  session: Session;
  timeZone: string;
  /** Another one when money changed; null before the live service has been heard. */
  version: number | null;
  now: number;
}

/** Works without the live socket, as the live panel works without this. */
export function OverviewSection({ session, timeZone, version, now }: OverviewSectionProps) {
  const [range, setRange] = useState(() => rangeOf(location.search));
  const [figure, setFigure] = useState<Figure | undefined>(figures[0]);
  const { overview, error, loading, refresh } = useOverview(session, range, timeZone, version);
  const chooseRange = (chosen: typeof range) => {
    setRange(chosen);
    history.replaceState(null, "", `?${new URLSearchParams({ range: chosen }).toString()}`);
  };
  if (!figure) {
    return null;
  }
  const reason = error === null ? "It is being loaded." : wordsFor(error).what;
  return (
    <section class="overview" aria-labelledby="overview-heading" aria-busy={loading}>
      <header class="overview-head">
        <div>
          <h2 id="overview-heading">{rangeName(range)}</h2>
          <Freshness overview={overview} timeZone={overview?.query.timeZone ?? timeZone} now={now} />
        </div>
        <RangePicker value={range} onChange={chooseRange} />
      </header>
      {error !== null && <Trouble error={error} retry={refresh} />}
      <FigureCards totals={overview?.totals ?? null} reason={reason} chosen={figure} onChoose={setFigure} />
      {overview === null && error === null && <div class="card chart-waiting" aria-hidden="true" />}
      {overview && (
        <>
          <Warnings codes={overview.warnings} />
          <Chart overview={overview} figure={figure} />
          <div class="overview-pair">
            <RevenueCard revenue={overview.totals.revenue} timeZone={overview.query.timeZone} now={now} />
            <TopContent items={overview.topContent} />
          </div>
        </>
      )}
    </section>
  );
}

/** What the service adds about its numbers; a warning this page does not know says nothing here. */
const warnings: Readonly<Record<string, string>> = {
  zone_boundary_rounded:
    "Days begin at the full hour before midnight in this zone, since numbers are kept by the hour.",
  subscribers_incomplete: "Subscribers are counted later than views; their newest steps are not known yet.",
};

function Warnings({ codes }: { codes: readonly string[] }) {
  const words = codes.flatMap((code) => warnings[code] ?? []);
  return words.length === 0 ? null : <p class="quiet small">{words.join(" ")}</p>;
}

function Freshness({ overview, timeZone, now }: { overview: Overview | null; timeZone: string; now: number }) {
  const written = (iso: string) => <time dateTime={iso}>{formatInstant(iso, timeZone, now)}</time>;
  return (
    <p class="quiet small freshness">
      {overview && overview.asOf !== null && <span>As of {written(overview.asOf)}</span>}
      {overview && overview.completeThrough !== null && <span>complete to {written(overview.completeThrough)}</span>}
      <span>{formatZone(timeZone, now)}</span>
    </p>
  );
}
