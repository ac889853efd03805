// Who watched, by country and device: how a day's views are shared out, and which viewers they were. Once in JavaScript
// and once in ClickHouse, as in metrics-model.ts.
import { join32, join32Sql } from "./deterministic-hash.ts";
import { div } from "./rhythm.ts";

/** Parts of a thousand. The first takes what rounding leaves. */
export const countryShares = [
  ["NG", 588],
  ["US", 88],
  ["GH", 76],
  ["GB", 62],
  ["ZA", 50],
  ["KE", 42],
  ["CA", 22],
  ["CM", 14],
  ["BJ", 11],
  ["TG", 9],
  ["CI", 8],
  ["SN", 7],
  ["DE", 5],
  ["AE", 4],
  ["FR", 4],
  ["IE", 3],
  ["IN", 3],
  ["UG", 2],
  ["RW", 1],
  ["TZ", 1],
] as const;
export const deviceShares = [
  ["mobile", 724],
  ["desktop", 146],
  ["tv", 72],
  ["tablet", 40],
  ["other", 18],
] as const;

/** A viewer watches this many items a day. */
const VIEWS_PER_VIEWER = 8;

type Shares = readonly (readonly [name: string, permille: number])[];

/** A day's views by country or device. */
export function shareOut(views: number, shares: Shares): number[] {
  const parts = shares.map(([, permille]) => div(views * permille, 1_000));
  const rest = views - parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part, index) => (index === 0 ? part + rest : part));
}

/** One viewer on one day: who, on what, and how many of the day's views are theirs. */
export interface DailyViewer {
  viewer: string;
  device: string;
  views: number;
}

/** The viewers behind a day's (days since the Unix epoch) views in one country. `reach` is the creator's whole audience. */
export function viewersOf(
  creator: { creatorNo: number; reach: number },
  at: { countryNo: number; day: number; views: number },
): DailyViewer[] {
  const { creatorNo, reach } = creator;
  const { countryNo, day, views } = at;
  const pool = 1 + div(reach * (countryShares[countryNo]?.[1] ?? 0), 1_000);
  const hash = join32(join32(creatorNo, countryNo), day);
  return Array.from({ length: div(views + VIEWS_PER_VIEWER - 1, VIEWS_PER_VIEWER) }, (_, index) => {
    const member = join32(hash, index) % pool;
    return {
      viewer: `${creatorNo}-${countryNo}-${member}`,
      device: deviceOf(member),
      views: Math.min(VIEWS_PER_VIEWER, views - index * VIEWS_PER_VIEWER),
    };
  });
}

/** A viewer keeps their device. */
function deviceOf(member: number): string {
  const part = join32(member, 7) % 1_000;
  const index = deviceBounds.findIndex((bound) => part < bound);
  return deviceShares[index]?.[0] ?? "other";
}

/** Upper bounds of the devices' parts of a thousand. */
const deviceBounds = deviceShares.map((_, index) =>
  deviceShares.slice(0, index + 1).reduce((sum, [, permille]) => sum + permille, 0),
);

const list = (values: readonly (string | number)[]) => `[${values.map((value) => JSON.stringify(value)).join(", ")}]`;
const quotedNames = (shares: Shares) => list(shares.map(([name]) => name)).replaceAll('"', "'");
const countryPermilles = list(countryShares.map(([, permille]) => permille));

/** All viewers of all days: creator_id, day, country, device, viewer, views. Over creator_metrics_hourly. */
const viewersQuery = `SELECT creator_id, day, ${quotedNames(countryShares)}[country_no + 1] AS country,
  ${quotedNames(deviceShares)}[arrayFirstIndex(bound -> device_hash % 1000 < bound, ${list(deviceBounds)})] AS device,
  concat(toString(creator_no), '-', toString(country_no), '-', toString(member)) AS viewer,
  least(${VIEWS_PER_VIEWER}, part - index * ${VIEWS_PER_VIEWER}) AS views
FROM
(
  WITH
    ${join32Sql("creator_hash", "creator_no", "country_no")},
    ${join32Sql("day_hash", "creator_hash", "toUInt32(day)")},
    ${join32Sql("viewer_hash", "day_hash", "index")},
    viewer_hash % (1 + intDiv(reach * ${countryPermilles}[country_no + 1], 1000)) AS member,
    ${join32Sql("device_hash", "member", "7")}
  SELECT creator_id, creator_no, day, country_no, part, index, member, device_hash
  FROM
  (
    WITH
      arrayMap(permille -> intDiv(day_views * permille, 1000), ${countryPermilles}) AS floored,
      arrayConcat([toUInt64(floored[1] + day_views - arraySum(floored))], arraySlice(floored, 2)) AS parts
    SELECT creator_id, creator_no, reach, day, part, toUInt64(part_no - 1) AS country_no,
      toUInt64(arrayJoin(range(intDiv(part + ${VIEWS_PER_VIEWER - 1}, ${VIEWS_PER_VIEWER})))) AS index
    FROM
    (
      SELECT creator_id, toDate(period) AS day, sum(views) AS day_views
      FROM creator_metrics_hourly
      GROUP BY creator_id, day
    ) AS daily
    INNER JOIN seed_creators USING (creator_id)
    ARRAY JOIN parts AS part, arrayEnumerate(parts) AS part_no
  )
)`;

/** The rows of audience_country_daily or audience_device_daily. */
export function audienceQuery(dimension: "country" | "device"): string {
  return `SELECT creator_id, day, ${dimension}, sum(views) AS views, uniqCombined64State(viewer) AS viewers
FROM (${viewersQuery})
GROUP BY creator_id, day, ${dimension}`;
}
