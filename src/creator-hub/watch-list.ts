import { DurableObject } from "cloudflare:workers";

/** Which creators have a dashboard open, and how the sources that serve them fare. */
export class WatchList extends DurableObject<ApiEnv> {}
