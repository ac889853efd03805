// What the creator has earned, and the payouts that paid it.
import { REVENUE_DEFINITION, revenueAnswerSchema, revenueQuerySchema } from "../../contract/revenue.ts";
import { echoTimeRange } from "../../contract/time-range.ts";
import { readRevenue } from "../../store/postgres/read-revenue.ts";
import { rangeOf } from "../parameters.ts";
import { creatorRoute } from "../route.ts";

/** `GET /api/v1/creator/revenue`. */
export const revenueRoute = creatorRoute({
  method: "get",
  path: "/api/v1/creator/revenue",
  tag: "Revenue",
  summary: "Revenue and payouts",
  description:
    "Estimated, final and paid amounts apart, per currency, by source, time and item; and the payouts, newest first, a page at a time. Amounts are integers of minor units, as strings.",
  query: revenueQuerySchema,
  answer: revenueAnswerSchema,
  problems: ["storage_unavailable"],
  handle: async ({ query, creator, services }) => {
    const { limit, cursor, ...asked } = query;
    const range = rangeOf(asked, creator, services.clock);
    const { postgres, clock } = services;
    const revenue = await readRevenue(postgres, creator.creatorId, range, { limit, cursor }, clock.now());
    return { answer: { query: echoTimeRange(range), definition: REVENUE_DEFINITION, ...revenue } };
  },
});
