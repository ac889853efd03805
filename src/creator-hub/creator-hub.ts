import { DurableObject } from "cloudflare:workers";

/** One creator's live state and sockets. */
export class CreatorHub extends DurableObject<ApiEnv> {}
