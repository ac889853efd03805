// At rest every dashboard must show exactly what the logs say.
import type { StreamSummary } from "../../src/contract/live-frames.ts";
import type { DashboardClient } from "./dashboard-client.ts";
import type { ReferenceItem, ReferenceStream } from "./reference.ts";
import type { PartitionTruth } from "./truth.ts";
import type { RareTruth } from "./workload.ts";

/** An expiry of the last moments may not have been published yet. */
const PUBLISHING_TAKES_MS = 2_000;
const shown = ["views", "likes", "shares", "completions", "watchSeconds"] as const;

/** What is true of an item over all partitions that told of it. */
interface ExpectedItem extends ReferenceItem {
  readonly viewersBefore: number;
  readonly partitions: number;
}

function withPartition(sum: ExpectedItem | undefined, item: ReferenceItem, viewersBefore: number): ExpectedItem {
  return {
    views: (sum?.views ?? 0) + item.views,
    likes: (sum?.likes ?? 0) + item.likes,
    shares: (sum?.shares ?? 0) + item.shares,
    completions: (sum?.completions ?? 0) + item.completions,
    watchSeconds: (sum?.watchSeconds ?? 0) + item.watchSeconds,
    liveViewers: (sum?.liveViewers ?? 0) + item.liveViewers,
    viewersBefore: (sum?.viewersBefore ?? 0) + viewersBefore,
    peakViewers: item.peakViewers,
    partitions: (sum?.partitions ?? 0) + 1,
  };
}

/** What is wrong with what a creator sees. */
export function faultsOf(
  creatorId: string,
  client: DashboardClient,
  truth: {
    partitions: readonly { truth: PartitionTruth; latest: number }[];
    rare: RareTruth;
    /** Values of records that no reader took. */
    setAside: readonly string[];
  },
  now: number,
): string[] {
  const { seen } = client;
  if (seen.epoch === null) {
    return [`${creatorId} never got a snapshot`];
  }
  const faults: string[] = [];
  const check = (what: string, actual: unknown, expected: unknown) => {
    if (actual !== expected) {
      faults.push(`${creatorId}: ${what} is ${String(actual)}, not ${String(expected)}`);
    }
  };
  check("state", seen.state, "live");
  const totals = { views: 0, likes: 0, shares: 0, completions: 0, watchSeconds: 0 };
  let [fewestViewers, mostViewers] = [0, 0];
  const items = new Map<string, ExpectedItem>();
  for (const { truth: partition, latest } of truth.partitions) {
    const reference = partition.upTo(latest);
    const before = reference.countAt(now - PUBLISHING_TAKES_MS).get(creatorId);
    for (const [contentId, item] of reference.countAt(now).get(creatorId) ?? []) {
      items.set(contentId, withPartition(items.get(contentId), item, before?.get(contentId)?.liveViewers ?? 0));
    }
  }
  for (const [contentId, item] of items) {
    for (const name of shown) {
      totals[name] += item[name];
    }
    fewestViewers += item.liveViewers;
    mostViewers += item.viewersBefore;
    const itemSeen = seen.content.get(contentId);
    for (const name of shown) {
      check(`${name} of ${contentId}`, itemSeen?.[name], name === "likes" ? Math.max(0, item.likes) : item[name]);
    }
    if (item.partitions === 1) {
      check(`peak of ${contentId}`, itemSeen?.peakViewers, item.peakViewers);
    }
    checkBetween(
      faults,
      `${creatorId}: viewers of ${contentId}`,
      itemSeen?.liveViewers,
      item.liveViewers,
      item.viewersBefore,
    );
  }
  for (const name of shown) {
    check(`total ${name}`, seen.totals[name], name === "likes" ? Math.max(0, totals.likes) : totals[name]);
  }
  check("number of items", seen.totals.items, items.size);
  check("items shown", seen.content.size, items.size);
  checkBetween(faults, `${creatorId}: total viewers`, seen.totals.liveViewers, fewestViewers, mostViewers);
  const isSetAside = (id: string) => truth.setAside.some((value) => value.includes(`"${id}"`));
  const between = (what: string, actual: number, events: ReadonlySet<string> = new Set(), most = Infinity) => {
    const fewest = [...events].filter((eventId) => !isSetAside(eventId)).length;
    checkBetween(faults, `${creatorId}: ${what}`, actual, Math.min(most, fewest), Math.min(most, events.size));
  };
  if (!truth.setAside.some((value) => value.includes("subscriberCount") && value.includes(`"${creatorId}"`))) {
    check("subscriber count", seen.subscribers.count, truth.rare.subscribers.get(creatorId) ?? null);
  }
  // Repeats of a record that was set aside may have been taken.
  between("payments", seen.revenue.version, truth.rare.payments.get(creatorId));
  between("alerts", seen.alerts.length, truth.rare.decisions.get(creatorId), 50);
  check("different alerts", new Set(seen.alerts.map(({ alertId }) => alertId)).size, seen.alerts.length);
  return faults;
}

/** What is wrong with what a creator is told of an item's last finished stream. */
export function streamFaultsOf(
  contentId: string,
  summary: StreamSummary | null,
  expected: ReferenceStream | undefined,
): string[] {
  if (!summary || !expected) {
    return !summary === !expected ? [] : [`stream of ${contentId} is ${summary ? "one too many" : "missing"}`];
  }
  const actual: ReferenceStream = {
    startedAt: Date.parse(summary.startedAt),
    endedAt: Date.parse(summary.endedAt),
    peakViewers: summary.peakViewers,
    averageViewers: summary.averageViewers,
    uniqueSessions: summary.uniqueSessions,
    watchSeconds: summary.watchSeconds,
    likes: summary.likes,
    shares: summary.shares,
  };
  const names = Object.keys(expected) as (keyof ReferenceStream)[];
  return names
    .filter((name) => actual[name] !== expected[name])
    .map((name) => `${name} of the stream of ${contentId} is ${actual[name]}, not ${expected[name]}`);
}

function checkBetween(
  faults: string[],
  what: string,
  actual: number | null | undefined,
  fewest: number,
  most: number,
): void {
  if (typeof actual !== "number" || actual < Math.min(fewest, most) || actual > Math.max(fewest, most)) {
    faults.push(`${what} are ${String(actual)}, not ${fewest} to ${most}`);
  }
}
