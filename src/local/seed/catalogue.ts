// Who publishes what: creators and items, the same for every run. Instants follow from the one handed in; ids, titles
// and sizes do not, so that a stack started on another day knows the same items.
import type { contentKinds, contentStatuses } from "../../contract/content.ts";
import { contentIdSchema, creatorIdSchema, type ContentId, type CreatorId } from "../../contract/ids.ts";
import { DAY_MS, HOUR_MS } from "../../contract/time-zone.ts";
import { chanceOf } from "./deterministic-hash.ts";
import { contentTitle, creatorName } from "./titles.ts";

/** The creator whose dashboard a developer opens, and the one with the most data by far. */
export const DEMO_CREATOR_ID: CreatorId = creatorIdSchema.parse("crt_demo");

/** How far back the hourly metrics go. */
export const HISTORY_DAYS = 730;
export const HISTORY_HOURS = HISTORY_DAYS * 24;

/** `full` is the local stack's; `small` has the same shapes and every status, and loads in seconds. */
export type SeedScale = "full" | "small";

interface Sizes {
  creators: number;
  demoItems: number;
  /** The most items of another creator; the others have fewer, down to three. */
  mostItems: number;
}

/** `full`: over 5,000 items, and about 10 million rows of content_metrics for the demo creator. */
const sizes: Record<SeedScale, Sizes> = {
  full: { creators: 240, demoItems: 745, mostItems: 100 },
  small: { creators: 20, demoItems: 40, mostItems: 14 },
};

/** A person who publishes. */
export interface SeedCreator {
  creatorId: CreatorId;
  /** 1 is the demo creator; a higher number has a smaller audience. */
  creatorNo: number;
  name: string;
  zoneinfo: string;
  /** The currency of their revenue. The demo creator and every fifth other earn in both. */
  currencies: readonly ("NGN" | "USD")[];
  /** At the beginning of the history. */
  subscribersAtFirst: number;
  /** Means in thousandths; the inputs of subscriber-model.ts. */
  gainedPerHourMilli: number;
  lostPerHourMilli: number;
  /** Everyone who may watch; the input of audience-model.ts. */
  reach: number;
  items: SeedItem[];
}

export type ContentKind = (typeof contentKinds)[number];
export type ContentStatus = (typeof contentStatuses)[number];

/** A video or a stream. The whole numbers from `viewsPerHourMilli` on are the inputs of metrics-model.ts. */
export interface SeedItem {
  contentId: ContentId;
  itemNo: number;
  title: string;
  kind: ContentKind;
  status: ContentStatus;
  /** Null for what was never public. */
  publishedAt: number | null;
  createdAt: number;
  /** Null while it is not known yet. */
  durationSeconds: number | null;
  /** The hours in which it can have views: half-open, in hours since the Unix epoch, within the history. */
  firstHour: number;
  endHour: number;
  /** Views an hour at publication, in thousandths. */
  viewsPerHourMilli: number;
  averageWatchSeconds: number;
  likePermille: number;
  sharePermille: number;
  completionPermille: number;
}

/** The creators and items of a scale at an instant (ms since the Unix epoch). */
export function createCatalogue(scale: SeedScale, now: number): SeedCreator[] {
  const { creators, demoItems, mostItems } = sizes[scale];
  let itemNo = 0;
  return Array.from({ length: creators }, (_, index) => {
    const creatorNo = index + 1;
    const count = creatorNo === 1 ? demoItems : itemsOf(creatorNo, creators, mostItems);
    const items = Array.from({ length: count }, (__, age) =>
      createItem({ creatorNo, itemNo: ++itemNo, age, count, now }),
    );
    return createCreator(creatorNo, items);
  });
}

/** Long-tailed: the 2nd creator has the most, the last three. */
function itemsOf(creatorNo: number, creators: number, most: number): number {
  return 3 + Math.floor(((most - 3) * 4 * (creators - creatorNo)) / (creators * (3 + creatorNo / 10)) / 4 / 0.33);
}

function createCreator(creatorNo: number, items: SeedItem[]): SeedCreator {
  const chance = chanceOf(1, creatorNo);
  const isDemo = creatorNo === 1;
  const usesBoth = isDemo || creatorNo % 5 === 0;
  const isAbroad = creatorNo % 7 === 0;
  // The subscribers they are heading for: the demo creator has the most, the last have hundreds.
  const following = isDemo ? 400_000 : Math.floor(300_000 / (creatorNo + 2)) + chance.between(100, 2_000);
  return {
    creatorId: isDemo ? DEMO_CREATOR_ID : creatorIdSchema.parse(`crt_${String(creatorNo).padStart(4, "0")}`),
    creatorNo,
    name: isDemo ? "Amaka Explains" : creatorName(chance),
    zoneinfo: isAbroad ? chance.pick(["Europe/London", "America/New_York", "Africa/Accra"]) : "Africa/Lagos",
    currencies: usesBoth ? ["NGN", "USD"] : [isAbroad ? "USD" : "NGN"],
    subscribersAtFirst: isDemo ? 96_000 : 20 + Math.floor(following / 4),
    gainedPerHourMilli: Math.floor(following / 16) + 4,
    lostPerHourMilli: Math.floor(following / 110) + 1,
    reach: following * 2 + 200,
    items,
  };
}

/** `age` counts from the newest item. */
function createItem(at: { creatorNo: number; itemNo: number; age: number; count: number; now: number }): SeedItem {
  const { creatorNo, itemNo, age, count, now } = at;
  const chance = chanceOf(2, creatorNo, itemNo);
  const kind = chance.happens(140) ? "live" : "video";
  const status = statusOf(age, count);
  const createdAt = createdAtOf(at, chance.between(0, 20 * 60));
  // Uploaded first, public some hours later; on the full hour, as most schedules are.
  const publishedHour = Math.floor((createdAt + chance.between(1, 40) * HOUR_MS) / HOUR_MS);
  const nowHour = Math.floor(now / HOUR_MS);
  const publishedAt = publishedAtOf(status, publishedHour, nowHour);
  const firstHour = Math.max(publishedHour, nowHour - HISTORY_HOURS);
  const lifeHours = creatorNo === 1 ? Infinity : chance.between(30, 180) * 24;
  const endHour = isPublic(status) ? Math.max(firstHour, Math.min(nowHour, publishedHour + lifeHours)) : firstHour;
  return {
    contentId: contentIdSchema.parse(`cnt_${String(itemNo).padStart(5, "0")}`),
    itemNo,
    title: contentTitle(chance, kind),
    kind,
    status,
    publishedAt,
    createdAt,
    durationSeconds: status === "processing" ? null : durationOf(kind, chance.between(0, 1_000)),
    firstHour,
    endHour,
    viewsPerHourMilli:
      creatorNo === 1 ? demoRate(chance.between(1, count)) : otherRate(creatorNo, chance.between(1, count)),
    averageWatchSeconds: kind === "live" ? chance.between(300, 1_500) : chance.between(45, 420),
    likePermille: chance.between(20, 90),
    sharePermille: chance.between(4, 20),
    completionPermille: chance.between(180, 720),
  };
}

/** The newest items of whoever has many show what is not public yet; older ones now and then what was restricted or removed. */
function statusOf(age: number, count: number): ContentStatus {
  if (count >= 20 && age < 4) {
    return (["scheduled", "draft", "processing", "private"] as const)[age] ?? "draft";
  }
  if (age % 29 === 17) {
    return "restricted";
  }
  if (age % 37 === 11) {
    return "removed";
  }
  return age % 23 === 9 ? "unlisted" : "published";
}

/**
 * When the item was made. The demo creator made two fifths evenly over the two years and the rest in the four years
 * before; the others theirs ever faster over the two years and a little more.
 */
function createdAtOf(
  at: { creatorNo: number; age: number; count: number; now: number },
  jitterMinutes: number,
): number {
  const { creatorNo, age, count, now } = at;
  const recent = Math.floor((count * 2) / 5);
  const daysBack = () => {
    if (creatorNo !== 1) {
      return Math.floor((age * age * (HISTORY_DAYS + 90)) / (count * count));
    }
    return age < recent
      ? Math.floor((age * (HISTORY_DAYS - 1)) / recent)
      : HISTORY_DAYS + Math.floor(((age - recent) * 4 * 365) / (count - recent));
  };
  return now - (1 + daysBack()) * DAY_MS - jitterMinutes * 60_000;
}

function publishedAtOf(status: ContentStatus, publishedHour: number, nowHour: number): number | null {
  if (status === "scheduled") {
    return (nowHour + 30) * HOUR_MS;
  }
  return isPublic(status) ? Math.min(publishedHour, nowHour - 1) * HOUR_MS : null;
}

/** Whether it is or was there for everybody, so that it has been watched. */
function isPublic(status: ContentStatus): boolean {
  return !["scheduled", "draft", "processing", "private"].includes(status);
}

/** A stream lasts 40 minutes to three hours; most videos are short, some long. */
function durationOf(kind: ContentKind, permille: number): number {
  return kind === "live" ? 2_400 + permille * 8 : 60 + Math.floor((permille * permille) / 400);
}

/** A flat tail: nearly every item of a famous creator is watched every hour. Every hundredth is a hit. */
function demoRate(rank: number): number {
  return Math.floor(500_000 / Math.sqrt(rank)) * (rank % 100 === 1 ? 4 : 1) + 12_000;
}

/** Long-tailed over creators and over their items. */
function otherRate(creatorNo: number, rank: number): number {
  return Math.floor(70_000 / (Math.sqrt(creatorNo) * rank)) + 150;
}
