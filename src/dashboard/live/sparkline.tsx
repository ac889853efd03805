// Views per minute of the last hour, one bar a minute, the unfinished minute hollow.

const WIDTH = 120;
const HEIGHT = 28;
const MINUTES = 60;

/** `minutes`: oldest first, the last one still running. */
export function Sparkline({ minutes }: { minutes: readonly number[] }) {
  const highest = Math.max(1, ...minutes);
  const step = WIDTH / MINUTES;
  const total = minutes.reduce((sum, count) => sum + count, 0);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" preserveAspectRatio="none">
      <title>{`${total} views in the last ${minutes.length} minutes, at most ${Math.max(0, ...minutes)} in one`}</title>
      {minutes.map((count, index) => {
        const height = count === 0 ? 1 : Math.max(2, (count / highest) * HEIGHT);
        const running = index === minutes.length - 1;
        return (
          <rect
            key={index}
            class={running ? "running" : undefined}
            x={(MINUTES - minutes.length + index) * step + 0.2}
            y={HEIGHT - height}
            width={step - 0.4}
            height={height}
          />
        );
      })}
    </svg>
  );
}
