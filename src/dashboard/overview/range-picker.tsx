// Chooses how far back the overview looks. Native radio buttons: arrows, labels and states come with them.
import { ranges, type Range } from "../service/overview.ts";

const names: Readonly<Record<Range, [short: string, full: string]>> = {
  "24h": ["24 h", "Last 24 hours"],
  "7d": ["7 d", "Last 7 days"],
  "28d": ["28 d", "Last 28 days"],
  "90d": ["90 d", "Last 90 days"],
  "365d": ["1 y", "Last 365 days"],
};

/** The range's name in full. */
export const rangeName = (range: Range): string => names[range][1];

/** The range in the page's own address; the default is four of each weekday. */
export function rangeOf(search: string): Range {
  const asked = new URLSearchParams(search).get("range");
  return ranges.find((range) => range === asked) ?? "28d";
}

/** A row of choices, one chosen. */
export function RangePicker({ value, onChange }: { value: Range; onChange: (range: Range) => void }) {
  return (
    <fieldset class="ranges">
      <legend class="visually-hidden">Range</legend>
      {ranges.map((range) => (
        <label key={range} class="range">
          <input type="radio" name="range" checked={range === value} onChange={() => onChange(range)} />
          <span aria-hidden="true">{names[range][0]}</span>
          <span class="visually-hidden">{names[range][1]}</span>
        </label>
      ))}
    </fieldset>
  );
}
