// For whoever runs the bridge: /healthz, /readyz, /metrics.
import { createRoutes } from "./http.ts";
import type { RouteParts } from "./http.ts";

/** How long readiness waits for the log, milliseconds; orchestrators usually give a probe one second or more. */
const READY_DEADLINE_MS = 900;

/** Open to anyone who reaches the port: the process lives; it can serve. */
export function probeRoutes({ log }: RouteParts, isDraining: () => boolean) {
  const app = createRoutes();
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/readyz", async (c) => {
    if (isDraining()) {
      return c.json({ status: "draining" }, 503);
    }
    const isReady = await log.check(AbortSignal.timeout(READY_DEADLINE_MS)).then(
      () => true,
      () => false,
    );
    return isReady ? c.json({ status: "ok", log: "ok" }) : c.json({ status: "unavailable", log: "unavailable" }, 503);
  });
  return app;
}

/** Topics' names are in the metrics: a credential with `metadata` is needed, and sees its own topics. */
export function metricsRoutes({ metrics }: RouteParts) {
  const app = createRoutes();
  app.get("/metrics", async (c) => {
    const caller = c.get("caller");
    caller.require("metadata");
    return c.body(await metrics.text((topic) => caller.mayUse(topic)), 200, { "Content-Type": metrics.contentType });
  });
  return app;
}
