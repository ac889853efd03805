// What must come out of the databases after the seed, computed from its inputs alone: no SQL and no table is involved.
import { countryShares, shareOut, viewersOf } from "../src/local/seed/audience-model.ts";
import type { SeedCreator, SeedItem } from "../src/local/seed/catalogue.ts";
import { metricsInHour, type HourlyMetrics } from "../src/local/seed/metrics-model.ts";
import { createRevenue } from "../src/local/seed/revenue-model.ts";
import { subscribersInHour } from "../src/local/seed/subscriber-model.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Half-open, ms since the Unix epoch, on full hours. */
export interface Span {
  startMs: number;
  endMs: number;
}

const nothing = (): HourlyMetrics => ({ views: 0, watchTimeSeconds: 0, likes: 0, shares: 0, completions: 0 });

function* hoursOf({ startMs, endMs }: Span): Iterable<number> {
  for (let hour = startMs / HOUR_MS; hour < endMs / HOUR_MS; hour++) {
    yield hour;
  }
}

/** What one item did in a span, in a seed that was loaded for `now`. */
export function itemTotals(item: SeedItem, span: Span, now: number): HourlyMetrics {
  const totals = nothing();
  for (const hour of hoursOf(span)) {
    addTo(totals, metricsInHour(item, hour, Math.floor(now / HOUR_MS)));
  }
  return totals;
}

/** What all items of a creator did in a span. */
export function creatorTotals(creator: SeedCreator, span: Span, now: number): HourlyMetrics {
  const totals = nothing();
  for (const item of creator.items) {
    addTo(totals, itemTotals(item, span, now));
  }
  return totals;
}

function addTo(totals: HourlyMetrics, more: HourlyMetrics | null): void {
  if (more !== null) {
    totals.views += more.views;
    totals.watchTimeSeconds += more.watchTimeSeconds;
    totals.likes += more.likes;
    totals.shares += more.shares;
    totals.completions += more.completions;
  }
}

/** The items of a creator with their totals, most views first, those without views left out. */
export function rankedByViews(
  creator: SeedCreator,
  span: Span,
  now: number,
): (HourlyMetrics & { contentId: string })[] {
  return creator.items
    .map((item) => ({ contentId: item.contentId, ...itemTotals(item, span, now) }))
    .filter(({ views }) => views > 0)
    .toSorted((one, other) => other.views - one.views || (one.contentId < other.contentId ? -1 : 1));
}

/** Subscribers gained and lost in a span, and the count at its end. */
export function subscriberTotals(
  creator: SeedCreator,
  span: Span,
  now: number,
): { gained: number; lost: number; count: number } {
  const nowHour = Math.floor(now / HOUR_MS);
  const totals = { gained: 0, lost: 0, count: creator.subscribersAtFirst };
  for (let hour = nowHour - 730 * 24; hour < Math.min(nowHour, span.endMs / HOUR_MS); hour++) {
    const { gained, lost } = subscribersInHour(creator, hour, nowHour);
    totals.count += gained - lost;
    if (hour >= span.startMs / HOUR_MS) {
      totals.gained += gained;
      totals.lost += lost;
    }
  }
  return totals;
}

/** Distinct viewers and views by country or device over whole UTC days, and distinct viewers of all. */
export function audienceTotals(
  creator: SeedCreator,
  span: Span,
  now: number,
): { viewers: number; countries: Map<string, Cell>; devices: Map<string, Cell> } {
  const all = new Set<string>();
  const countries = new Map<string, Cell>();
  const devices = new Map<string, Cell>();
  for (let day = span.startMs / DAY_MS; day < span.endMs / DAY_MS; day++) {
    const { views } = creatorTotals(creator, { startMs: day * DAY_MS, endMs: (day + 1) * DAY_MS }, now);
    shareOut(views, countryShares).forEach((part, countryNo) => {
      for (const { viewer, device, views: theirs } of viewersOf(creator, { countryNo, day, views: part })) {
        all.add(viewer);
        addViewer(countries, countryShares[countryNo]?.[0] ?? "", viewer, theirs);
        addViewer(devices, device, viewer, theirs);
      }
    });
  }
  return { viewers: all.size, countries, devices };
}

/** Viewers are kept by id, so that cells can be put together. */
export interface Cell {
  viewers: Set<string>;
  views: number;
}

function addViewer(cells: Map<string, Cell>, name: string, viewer: string, views: number): void {
  const cell = cells.get(name) ?? { viewers: new Set(), views: 0 };
  cell.viewers.add(viewer);
  cell.views += views;
  cells.set(name, cell);
}

/** Revenue accrued in a span by currency and status, in minor units. */
export function revenueTotals(
  creator: SeedCreator,
  { startMs, endMs }: Span,
  now: number,
): Record<string, { estimated: number; final: number; paid: number }> {
  const totals: Record<string, { estimated: number; final: number; paid: number }> = {};
  for (const entry of createRevenue(creator, now).entries) {
    const accruedMs = Date.parse(entry.accrued_at);
    if (accruedMs >= startMs && accruedMs < endMs) {
      const total = (totals[entry.currency] ??= { estimated: 0, final: 0, paid: 0 });
      total[entry.status] += entry.amount_minor;
    }
  }
  return totals;
}
