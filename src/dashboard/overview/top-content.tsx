// The items with most views in the range, each beside a bar of its share of the first.
import { formatCount, formatDuration, formatShare } from "../format/numbers.ts";
import { Known } from "../page/unknown.tsx";
import type { Overview } from "../service/overview.ts";

/** A phone's screenful. */
const SHOWN = 5;

/** `topContent` comes in the service's order, most views first. */
export function TopContent({ items }: { items: Overview["topContent"] }) {
  const most = Math.max(1, items[0]?.views ?? 1);
  return (
    <section class="card" aria-labelledby="top-heading">
      <header class="card-head">
        <h3 id="top-heading">Most viewed</h3>
      </header>
      {items.length === 0 && <p class="quiet">Nothing was viewed in this range.</p>}
      <ol class="top">
        {items.slice(0, SHOWN).map((item) => (
          <li key={item.contentId}>
            <p class="top-head">
              <span class="top-title">{item.title ?? item.contentId}</span>
              <span class="top-views">
                <Known value={item.views} format={formatCount} reason="Views are not known for this item." />
              </span>
            </p>
            <svg class="top-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
              <rect class="top-bar-track" width="100" height="4" />
              <rect width={((item.views ?? 0) / most) * 100} height="4" />
            </svg>
            <p class="quiet small">
              {item.watchTimeSeconds !== null && `${formatDuration(item.watchTimeSeconds)} watched`}
              {item.completionRate !== null && ` · ${formatShare(item.completionRate)} completed`}
              {item.title === null && " · title not available"}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
