// The items with most viewers right now.
import type { LiveContent } from "../../contract/live-frames.ts";
import { formatClock } from "../format/instants.ts";
import { formatCount, formatCounted } from "../format/numbers.ts";
import { Known } from "../page/unknown.tsx";
import { Sparkline } from "./sparkline.tsx";

/** More would push the rest of the page off a phone's screen. */
const SHOWN = 5;

/** The busiest items, most viewers first, then most views. */
export function busiest(content: ReadonlyMap<string, LiveContent>): LiveContent[] {
  return [...content.values()]
    .toSorted((a, b) => (b.liveViewers ?? 0) - (a.liveViewers ?? 0) || b.views - a.views)
    .slice(0, SHOWN);
}

/** `titles` by content id; an item without one shows its id. */
export function LiveItems(props: {
  items: readonly LiveContent[];
  titles: ReadonlyMap<string, string>;
  timeZone: string;
}) {
  return (
    <ul class="live-items">
      {props.items.map((item) => (
        <LiveItem key={item.contentId} item={item} title={props.titles.get(item.contentId)} timeZone={props.timeZone} />
      ))}
    </ul>
  );
}

function LiveItem({ item, title, timeZone }: { item: LiveContent; title: string | undefined; timeZone: string }) {
  const reason = "The viewers of this item are not known at the moment.";
  return (
    <li class="live-item">
      <div class="live-item-head">
        <span class="live-item-title">{title ?? item.contentId}</span>
        {item.isLive && <span class="tag">Stream</span>}
      </div>
      <div class="live-item-body">
        <p class="live-item-viewers">
          <strong>
            {item.approximate && item.liveViewers !== null ? "≈ " : ""}
            <Known value={item.liveViewers} format={formatCount} reason={reason} />
          </strong>{" "}
          watching
        </p>
        {item.viewsPerMinute && item.viewsPerMinute.length > 0 && <Sparkline minutes={item.viewsPerMinute} />}
      </div>
      <p class="quiet small">
        {formatCounted(item.views, "view")} · {formatCounted(item.likes, "like")}
        {item.peakViewers !== null && (
          <>
            {" "}
            · peak {formatCount(item.peakViewers)}
            {item.peakAt !== null && ` at ${formatClock(item.peakAt, timeZone).slice(0, 5)}`}
          </>
        )}
      </p>
    </li>
  );
}
