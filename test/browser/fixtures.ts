// Answers and frames in the contract's shape, with numbers that look like a real creator's.

/** The instant around which the fixtures turn: a Sunday evening in Lagos. */
export const NOW = "2026-11-22T20:05:11Z";
const HOUR_MS = 3_600_000;

/** A repeatable number in [0, 1). */
function noise(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43_758.5453;
  return x - Math.floor(x);
}

const steps: Record<string, { count: number; hours: number; granularity: string }> = {
  "24h": { count: 24, hours: 1, granularity: "hour" },
  "7d": { count: 7, hours: 24, granularity: "day" },
  "28d": { count: 28, hours: 24, granularity: "day" },
  "90d": { count: 90, hours: 24, granularity: "day" },
  "365d": { count: 53, hours: 168, granularity: "week" },
};

function bucketAt(start: number, index: number, hours: number, complete: boolean) {
  const views = Math.round(hours * (520 + 380 * noise(index) + 160 * Math.sin(index / 3.5)) * (complete ? 1 : 0.8));
  return {
    start: new Date(start).toISOString().replace(".000Z", "Z"),
    complete,
    views,
    watchTimeSeconds: Math.round(views * 67.5),
    likes: Math.round(views * 0.067),
    shares: Math.round(views * 0.0078),
    completions: Math.round(views * 0.43),
    subscribersGained: Math.round(views * 0.0067),
    subscribersLost: Math.round(views * 0.0009),
  };
}

type Bucket = ReturnType<typeof bucketAt>;

function sum(series: readonly Bucket[], key: Exclude<keyof Bucket, "start" | "complete">): number {
  return series.reduce((total, bucket) => total + bucket[key], 0);
}

/** `GET analytics/overview` for the range and zone in `query`. */
export function overviewOf(query: URLSearchParams): Record<string, unknown> {
  const range = query.get("range") ?? "28d";
  const { count, hours, granularity } = steps[range] ?? { count: 28, hours: 24, granularity: "day" };
  // Days begin at midnight in Lagos, an hour before midnight in UTC.
  const end = Date.parse(granularity === "hour" ? "2026-11-22T21:00:00Z" : "2026-11-22T23:00:00Z");
  const first = end - count * hours * HOUR_MS;
  const series = Array.from({ length: count }, (_, index) =>
    bucketAt(first + index * hours * HOUR_MS, index, hours, index < count - 1),
  );
  const views = sum(series, "views");
  const gained = sum(series, "subscribersGained");
  const lost = sum(series, "subscribersLost");
  return {
    query: {
      range,
      start: new Date(first).toISOString(),
      end: new Date(end).toISOString(),
      timeZone: query.get("tz") ?? "UTC",
      granularity,
      compare: "none",
    },
    asOf: NOW,
    completeThrough: "2026-11-22T20:00:00Z",
    warnings: [],
    totals: {
      views,
      watchTimeSeconds: sum(series, "watchTimeSeconds"),
      averageWatchSeconds: 67.5,
      likes: sum(series, "likes"),
      shares: sum(series, "shares"),
      completions: sum(series, "completions"),
      completionRate: 0.4312,
      subscribers: { gained, lost, net: gained - lost, count: 50_231 },
      revenue: {
        status: "ok",
        asOf: "2026-11-22T18:00:00Z",
        amounts: [
          { currency: "NGN", estimatedMinor: "125000000", finalMinor: "9007199254740993", paidMinor: "41000000" },
          { currency: "USD", estimatedMinor: "41250", finalMinor: "0", paidMinor: "0" },
        ],
      },
    },
    comparison: null,
    series,
    topContent: [
      {
        contentId: "cnt_01",
        title: "Lagos at night",
        views: Math.round(views * 0.31),
        watchTimeSeconds: 2_811_202,
        completionRate: 0.51,
      },
      {
        contentId: "cnt_02",
        title: "How jollof began, and why it will never be settled",
        views: Math.round(views * 0.22),
        watchTimeSeconds: 1_100_202,
        completionRate: 0.71,
      },
      {
        contentId: "cnt_03",
        title: "Danfo diaries, part 4",
        views: Math.round(views * 0.13),
        watchTimeSeconds: 640_101,
        completionRate: 0.44,
      },
      {
        contentId: "cnt_04",
        title: "Market day in Balogun",
        views: Math.round(views * 0.08),
        watchTimeSeconds: 301_000,
        completionRate: 0.39,
      },
    ],
  };
}

/** `GET content` as far as the page reads it. */
export const contentPage = {
  items: [
    { contentId: "cnt_01", title: "Lagos at night" },
    { contentId: "cnt_02", title: "How jollof began, and why it will never be settled" },
    { contentId: "cnt_07", title: "Third Mainland Bridge at dawn" },
  ],
  nextCursor: null,
};

/** The first frame. */
export const welcome = {
  type: "welcome",
  protocol: "creator-live.v1",
  connectionId: "c_7",
  epoch: "h_1",
  serverTime: NOW,
  pingIntervalSeconds: 25,
  liveWindowSeconds: 45,
};

/** Totals with that many viewers. */
export function totalsWith(liveViewers: number | null) {
  return {
    liveViewers,
    views: 15_402,
    likes: 1_301,
    shares: 90,
    completions: 0,
    watchSeconds: 16_322_110,
    items: 2,
  };
}

/** One item's numbers. */
export function itemWith(contentId: string, liveViewers: number, isLive: boolean) {
  return {
    contentId,
    isLive,
    liveViewers,
    peakViewers: liveViewers + 90,
    peakAt: "2026-11-22T19:42:00Z",
    views: liveViewers * 4,
    likes: Math.round(liveViewers / 3),
    shares: 12,
    completions: 0,
    watchSeconds: 16_000_000,
    since: "2026-11-22T18:00:00Z",
    viewsPerMinute: Array.from({ length: 60 }, (_, minute) => Math.round(40 + 30 * noise(minute + liveViewers))),
    approximate: false,
  };
}

/** A snapshot in which everything is well. */
export const snapshot = {
  type: "snapshot",
  epoch: "h_1",
  seq: 1,
  at: NOW,
  state: "live",
  reason: null,
  asOf: NOW,
  totals: totalsWith(4_310),
  content: [itemWith("cnt_01", 4_211, true), itemWith("cnt_02", 99, false)],
  subscribers: { count: 50_231, asOf: NOW },
  revenue: { version: 12, lastPaymentAt: NOW },
  alerts: [],
};

/** A decision that the creator must hear of. */
export const alert = {
  alertId: "a_12",
  type: "moderation.decision",
  contentId: "cnt_07",
  decision: "restricted",
  reason: "Shows a road accident without a warning.",
  policyUrl: null,
  appealBy: "2026-12-06T00:00:00Z",
  decidedAt: NOW,
};
