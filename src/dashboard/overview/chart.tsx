// One figure over time. The picture is for eyes; the table below it has the same numbers for everybody.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { formatStep, formatStepInFull } from "../format/instants.ts";
import type { Overview } from "../service/overview.ts";
import { chartOptions, paletteAt } from "./chart-options.ts";
import type { Figure } from "./figures.ts";
import { SeriesTable } from "./series-table.tsx";

const HEIGHT = 240;

/** Draws `figure` over the overview's series. */
export function Chart({ overview, figure }: { overview: Overview; figure: Figure }) {
  const { series, query } = overview;
  const holder = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const dark = useDarkness();

  useEffect(() => {
    const element = holder.current;
    if (!element) {
      return undefined;
    }
    const values = series.map((bucket) => {
      const value = figure.bucket(bucket);
      return value === null ? null : value / figure.unit;
    });
    const options = chartOptions({
      width: element.clientWidth,
      height: HEIGHT,
      palette: paletteAt(element),
      steps: series.length,
      stepName: (index) => formatStep(series[index]?.start ?? query.start, query.granularity, query.timeZone),
      writeValue: figure.writeShort,
      onPoint: setPointed,
    });
    const chart = new uPlot(
      options,
      [
        series.map((_, index) => index),
        values.map((value, index) => (series[index]?.complete ? value : null)),
        values.map((value, index) => (series[index]?.complete ? null : value)),
      ],
      element,
    );
    const resizing = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    resizing.observe(element);
    return () => {
      resizing.disconnect();
      chart.destroy();
    };
  }, [series, figure, dark]);

  const unfinished = series.some((bucket) => !bucket.complete);
  return (
    <figure class="card chart">
      <figcaption class="card-head">
        <h3>{figure.label} over time</h3>
        <p class="quiet small chart-reading">{readingOf(overview, figure, pointed)}</p>
      </figcaption>
      <div ref={holder} class="chart-holder" aria-hidden="true" />
      {unfinished && (
        <p class="legend quiet small">
          <span class="swatch" aria-hidden="true" /> finished
          <span class="swatch swatch-unfinished" aria-hidden="true" /> still counting
        </p>
      )}
      <SeriesTable overview={overview} figure={figure} />
    </figure>
  );
}

/** The step under the pointer in words; without one, what a step is. */
function readingOf({ series, query }: Overview, figure: Figure, index: number | null): string {
  const bucket = index === null ? undefined : series[index];
  if (!bucket) {
    return `by ${query.granularity}`;
  }
  const value = figure.bucket(bucket);
  const name = formatStepInFull(bucket.start, query.granularity, query.timeZone);
  return `${name}: ${value === null ? "not known" : figure.write(value)}${bucket.complete ? "" : " so far"}`;
}

/** Whether the dark colours are in force: a canvas does not follow the style sheet by itself. */
function useDarkness(): boolean {
  const query = "(prefers-color-scheme: dark)";
  const [dark, setDark] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const follow = () => setDark(media.matches);
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, []);
  return dark;
}
