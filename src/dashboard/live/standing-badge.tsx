// The connection's state in a word, and the time for which the numbers are true.
import { formatClock } from "../format/instants.ts";
import type { Standing } from "./standing.ts";

/** `asOf` is shown whenever the numbers are not moving. */
export function StandingBadge(props: { standing: Standing; asOf: string | null; timeZone: string }) {
  const { standing, asOf, timeZone } = props;
  return (
    <p class={`standing standing-${standing.kind}`} title={standing.detail}>
      <span class="dot" aria-hidden="true" />
      {standing.label}
      {asOf !== null && (
        <span class="standing-as-of">
          as of <time dateTime={asOf}>{formatClock(asOf, timeZone)}</time>
        </span>
      )}
    </p>
  );
}

/** Says a change of state aloud, once; the counts themselves are never announced: they would never stop. */
export function StandingAnnouncement({ standing }: { standing: Standing }) {
  return (
    <p class="visually-hidden" role="status">
      Live numbers: {standing.label}. {standing.detail}
    </p>
  );
}
