// What travels with a request through the app.
import type { LogFields } from "../runtime/log.ts";
import type { Creator } from "./authentication.ts";
import type { Services } from "./services.ts";

/** Hono's environment: the Worker's bindings and the request's variables. */
export interface AppContext {
  Bindings: ApiEnv;
  Variables: {
    /** The client's `X-Request-Id` where it is well formed, else a fresh one. */
    readonly requestId: string;
    /** Fields that steps add to the request's one log line. */
    readonly line: LogFields;
    readonly services: Services;
    /** Set on creator routes only, after authentication. */
    readonly creator: Creator;
  };
}
