// The seed's creators and items as something to play.
import { createCatalogue, DEMO_CREATOR_ID, type SeedCreator, type SeedScale } from "../seed/catalogue.ts";
import { subscribersNow } from "../seed/subscriber-model.ts";
import type { PlayableCreator, Repertoire } from "./repertoire.ts";

/** Creators with an audience at any time, and items of each that get one: the head of the long tail. */
const CREATORS = 80;
const HOUR_MS = 3_600_000;
const LIVE_ITEMS = 6;
const VIDEO_ITEMS = 24;
/** Where the catalogue does not say how long an item is. */
const USUAL_SECONDS = 600;

/** What the catalogue has published. `now` is ms since the Unix epoch. */
export function seededRepertoire(scale: SeedScale, now: number): Repertoire {
  const playable = createCatalogue(scale, now)
    .slice(0, CREATORS)
    .map((creator) => playableCreator(creator, Math.floor(now / HOUR_MS)))
    .filter((creator) => creator.items.length > 0);
  const demo = playable.find((creator) => creator.creatorId === DEMO_CREATOR_ID);
  if (!demo) {
    throw new Error("The catalogue has nothing published for the demo creator.");
  }
  return { demo, others: playable.filter((creator) => creator !== demo) };
}

function playableCreator(creator: SeedCreator, nowHour: number): PlayableCreator {
  const { creatorId, creatorNo, items } = creator;
  const published = items
    .filter((item) => item.status === "published")
    .map(({ contentId, kind, durationSeconds }) => ({
      contentId,
      kind,
      durationSeconds: durationSeconds ?? USUAL_SECONDS,
    }));
  const newest = (kind: "live" | "video", count: number) =>
    published.filter((item) => item.kind === kind).slice(0, count);
  return {
    creatorId,
    popularity: 1 / creatorNo,
    subscribers: subscribersNow(creator, nowHour),
    items: [...newest("live", LIVE_ITEMS), ...newest("video", VIDEO_ITEMS)],
  };
}
