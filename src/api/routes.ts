// Every operation of the service. What is not in this table does not exist: the app registers it, and the OpenAPI
// document and the reference describe it.
import { audienceRoute } from "./analytics/audience-route.ts";
import { contentAnalyticsRoute } from "./analytics/content-route.ts";
import { overviewRoute } from "./analytics/overview-route.ts";
import { contentRoute } from "./content/content-route.ts";
import { describedRoutes } from "./reference.ts";
import { healthz, readyz } from "./health.ts";
import { liveSocket } from "./live-socket.ts";
import { pageConfig } from "./page-config.ts";
import { readPayoutSettingsRoute } from "./payout-settings/read-route.ts";
import { savePayoutSettingsRoute } from "./payout-settings/save-route.ts";
import { revenueRoute } from "./revenue/revenue-route.ts";
import type { Route } from "./route.ts";

const operations: Route[] = [
  overviewRoute,
  contentAnalyticsRoute,
  audienceRoute,
  contentRoute,
  revenueRoute,
  readPayoutSettingsRoute,
  savePayoutSettingsRoute,
  liveSocket,
  healthz,
  readyz,
  pageConfig,
];

/** All routes, those of the reference included. */
export const routes: readonly Route[] = describedRoutes(operations);
