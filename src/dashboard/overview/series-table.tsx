// The chart's numbers as a table, folded away until asked for.
import { formatStepInFull } from "../format/instants.ts";
import { Known } from "../page/unknown.tsx";
import type { Overview } from "../service/overview.ts";
import type { Figure } from "./figures.ts";

/** One row per step, newest first. */
export function SeriesTable({ overview, figure }: { overview: Overview; figure: Figure }) {
  const { series, query } = overview;
  return (
    <details class="series">
      <summary>Show the numbers</summary>
      <div class="series-scroll" tabIndex={0} role="region" aria-label={`${figure.label} by ${query.granularity}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">{query.granularity === "hour" ? "Hour" : "From"}</th>
              <th scope="col">{figure.label}</th>
            </tr>
          </thead>
          <tbody>
            {series.toReversed().map((bucket) => (
              <tr key={bucket.start}>
                <th scope="row">{formatStepInFull(bucket.start, query.granularity, query.timeZone)}</th>
                <td>
                  <Known value={figure.bucket(bucket)} format={figure.write} reason="Not known for this step." />
                  {!bucket.complete && <span class="quiet"> so far</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
