// Entry of the API Worker.
import { systemClock } from "../runtime/clock.ts";
import { createLog } from "../runtime/log.ts";
import { createApp } from "./app.ts";

export { CreatorHub } from "../creator-hub/creator-hub.ts";
export { WatchList } from "../creator-hub/watch-list.ts";

const app = createApp({ clock: systemClock, log: createLog({ service: "api" }) });

export default { fetch: app.fetch } satisfies ExportedHandler<ApiEnv>;
