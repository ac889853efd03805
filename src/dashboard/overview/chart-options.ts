// How a series is drawn: bars over steps, finished ones solid, unfinished ones hatched within a dashed outline.
import uPlot from "uplot";

/** The page's colours, read from the style sheet so that light and dark stay its matter. */
export interface Palette {
  bar: string;
  grid: string;
  text: string;
  font: string;
}

/** Reads the colours in force at `element`. */
export function paletteAt(element: Element): Palette {
  const style = getComputedStyle(element);
  return {
    bar: style.getPropertyValue("--accent"),
    grid: style.getPropertyValue("--line"),
    text: style.getPropertyValue("--ink-quiet"),
    font: `12px ${style.fontFamily}`,
  };
}

/** Steps a count's axis may take, smallest first as uPlot searches them; a half view does not exist. */
const wholeSteps = Array.from({ length: 15 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

interface ChartOptions {
  width: number;
  height: number;
  palette: Palette;
  /** Steps drawn. */
  steps: number;
  stepName: (index: number) => string;
  writeValue: (value: number) => string;
  /** The step under the pointer, null when it left. */
  onPoint: (index: number | null) => void;
}

/** Options for three rows of data: step numbers, finished values, unfinished values. */
export function chartOptions(options: ChartOptions): uPlot.Options {
  const { width, height, palette, steps, stepName, writeValue, onPoint } = options;
  const paths = uPlot.paths.bars?.({ size: [0.72, 44], radius: 0.12 });
  const bars = paths ? { paths } : {};
  const axis = { stroke: palette.text, font: palette.font, ticks: { show: false } };
  return {
    width,
    height,
    padding: [12, 4, 0, 0],
    legend: { show: false },
    cursor: { points: { show: false }, drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: false, range: [-0.6, steps - 0.4] },
      y: { range: (_chart, least, most) => [Math.min(0, least * 1.1), Math.max(1, most * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 30,
        gap: 8,
        grid: { show: false },
        space: 58,
        incrs: wholeSteps,
        values: (_chart, splits) => splits.map((split) => (split >= 0 && split < steps ? stepName(split) : "")),
      },
      {
        ...axis,
        size: 54,
        gap: 6,
        space: 40,
        incrs: wholeSteps,
        grid: { stroke: palette.grid, width: 1 },
        values: (_chart, splits) => splits.map(writeValue),
      },
    ],
    series: [
      {},
      { ...bars, fill: palette.bar, width: 0, points: { show: false } },
      {
        ...bars,
        fill: (chart) => hatch(chart.ctx, palette.bar),
        stroke: palette.bar,
        width: 1.5,
        dash: [4, 3],
        points: { show: false },
      },
    ],
    hooks: { setCursor: [(chart) => onPoint(chart.cursor.idx ?? null)] },
  };
}

function hatch(context: CanvasRenderingContext2D, colour: string): CanvasPattern | string {
  const tile = document.createElement("canvas");
  const size = 8;
  tile.width = size;
  tile.height = size;
  const pen = tile.getContext("2d");
  if (!pen) {
    return "transparent";
  }
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.5;
  pen.lineWidth = 1.5;
  for (const offset of [-size, 0, size]) {
    pen.moveTo(offset - 1, size + 1);
    pen.lineTo(offset + size + 1, -1);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat") ?? "transparent";
}
