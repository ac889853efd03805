// How a creator's subscribers come and go by the hour: once in JavaScript and once in ClickHouse, as in metrics-model.ts.
import { HISTORY_HOURS, type SeedCreator } from "./catalogue.ts";
import { countAround, countAroundSql, drawsOf, drawsSql, scaledToHour, scaledToHourSql } from "./rhythm.ts";

/** Keeps the draws of creators apart from those of items, whose numbers are far smaller. */
const NUMBERS_OF_CREATORS = 1_000_000;

/** Subscribers gained and lost in an hour (since the Unix epoch) within the history that ends at `nowHour`. */
export function subscribersInHour(
  creator: SeedCreator,
  hour: number,
  nowHour: number,
): { gained: number; lost: number } {
  const [a, b, c, d] = drawsOf(NUMBERS_OF_CREATORS + creator.creatorNo, hour);
  return {
    gained: countAround(scaledToHour(creator.gainedPerHourMilli, hour, nowHour), a, b),
    lost: countAround(scaledToHour(creator.lostPerHourMilli, hour, nowHour), c, d),
  };
}

/** The subscriber count at the end of the history. */
export function subscribersNow(creator: SeedCreator, nowHour: number): number {
  let count = creator.subscribersAtFirst;
  for (let hour = nowHour - HISTORY_HOURS; hour < nowHour; hour++) {
    const { gained, lost } = subscribersInHour(creator, hour, nowHour);
    count += gained - lost;
  }
  return count;
}

/** The columns of `seed_creators`, from which `subscribersQuery` makes the rows. */
export const seedCreatorColumns = {
  creator_id: "String",
  no: "UInt64",
  creator_no: "UInt64",
  reach: "UInt64",
  subscribers_at_first: "UInt64",
  gained_per_hour_milli: "UInt64",
  lost_per_hour_milli: "UInt64",
} as const;

/** A creator as a row of `seed_creators`. */
export function seedCreatorRow(creator: SeedCreator): Record<keyof typeof seedCreatorColumns, string | number> {
  return {
    creator_id: creator.creatorId,
    no: NUMBERS_OF_CREATORS + creator.creatorNo,
    creator_no: creator.creatorNo,
    reach: creator.reach,
    subscribers_at_first: creator.subscribersAtFirst,
    gained_per_hour_milli: creator.gainedPerHourMilli,
    lost_per_hour_milli: creator.lostPerHourMilli,
  };
}

/** All creators' hours in the columns of subscriber_metrics, those without a change left out; parameter `now_hour`. */
export const subscribersQuery = `WITH
  ${drawsSql}
SELECT
  creator_id,
  toDateTime(hour * 3600, 'UTC') AS period,
  ${countAroundSql(scaledToHourSql("gained_per_hour_milli"), "a", "b")} AS gained,
  ${countAroundSql(scaledToHourSql("lost_per_hour_milli"), "c", "d")} AS lost,
  toUInt64(subscribers_at_first + sum(gained) OVER running - sum(lost) OVER running) AS count
FROM
(
  SELECT *, toUInt64(arrayJoin(range(toUInt64({now_hour:UInt64} - ${HISTORY_HOURS}), {now_hour:UInt64}))) AS hour
  FROM seed_creators
)
WHERE gained + lost > 0
WINDOW running AS (PARTITION BY creator_id ORDER BY hour)`;
