// The page's public configuration.
import { pageConfigSchema } from "../contract/page-config.ts";
import { LIVE_SOCKET_PATH } from "./live-socket.ts";
import { publicRoute } from "./route.ts";

/** `GET /config.json`. */
export const pageConfig = publicRoute({
  path: "/config.json",
  tag: "Service",
  summary: "The page's configuration",
  answers: { 200: { description: "What the page needs to sign in and to connect.", schema: pageConfigSchema } },
  handle: ({ configuration }) => ({
    status: 200,
    answer: {
      issuer: configuration.auth.issuer,
      clientId: configuration.dashboardClientId,
      audience: configuration.auth.audience,
      socketPath: LIVE_SOCKET_PATH,
      defaultTimeZone: "UTC",
    },
  }),
});
