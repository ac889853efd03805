// Entry of the consumer Worker: the readers, the cron trigger that keeps them running, and the admin routes.
import { createLog } from "../runtime/log.ts";
import { adminRoutes, supervisor } from "./admin.ts";

export { PartitionReader } from "./partition-reader.ts";
export { Supervisor } from "./supervisor.ts";

const log = createLog({ service: "consumer", part: "cron" });

export default {
  fetch: (request, env, ctx) => adminRoutes.fetch(request, env, ctx),
  async scheduled(_controller, env) {
    const round = await supervisor(env).round();
    log.info("supervised", { ...round });
  },
} satisfies ExportedHandler<ConsumerEnv>;
