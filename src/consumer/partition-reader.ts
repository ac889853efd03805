import { DurableObject } from "cloudflare:workers";

/** Reads one topic-partition. */
export class PartitionReader extends DurableObject<ConsumerEnv> {}
