// The only way in to the hubs and the watch list, for both Workers. An object stays where it was first called, so the
// names and the location hint are decided here and nowhere else.
import { BEARER_PROTOCOL_PREFIX } from "../contract/live-frames.ts";
import { creatorIdSchema, type CreatorId } from "../contract/ids.ts";
import { identityHeaders, type LiveIdentity } from "./identity.ts";
import type { CreatorHub } from "./creator-hub.ts";
import type { WatchList } from "./watch-list.ts";

/** What a Worker must bind to reach the hubs. */
export interface HubBindings {
  CREATOR_HUB: DurableObjectNamespace<CreatorHub>;
  /** A location hint of Cloudflare's, such as `afr`; an empty or unknown one is left out. */
  HUB_LOCATION_HINT: string;
}

/** What a Worker must bind to reach the watch list. */
export interface WatchListBindings {
  WATCH_LIST: DurableObjectNamespace<WatchList>;
  HUB_LOCATION_HINT: string;
}

/** https://developers.cloudflare.com/durable-objects/reference/data-location/#supported-locations-1 */
const locationHints = [
  "wnam",
  "enam",
  "sam",
  "weur",
  "eeur",
  "apac",
  "oc",
  "afr",
  "me",
] as const satisfies DurableObjectLocationHint[];

/** The one hub of a creator. The last part of its name is the shard: relays of a very large hub would be 1 and up. */
export function creatorHub(env: HubBindings, creatorId: CreatorId): DurableObjectStub<CreatorHub> {
  return env.CREATOR_HUB.getByName(hubName(creatorId), located(env.HUB_LOCATION_HINT));
}

/** The watch list of a creator. One shard serves them all today; callers that mean one creator say which. */
export function watchList(env: WatchListBindings, _creatorId?: CreatorId): DurableObjectStub<WatchList> {
  return env.WATCH_LIST.getByName("watch-list:0", located(env.HUB_LOCATION_HINT));
}

/** The name of a creator's hub. */
export function hubName(creatorId: CreatorId): string {
  return `creator:${creatorId}:0`;
}

/** The creator of a hub's name. Throws for a name that no hub has. */
export function creatorOfHub(name: string | undefined): CreatorId {
  return creatorIdSchema.parse(/^creator:(.+):0$/.exec(name ?? "")?.[1]);
}

/**
 * The upgrade request as a hub takes it: the identity that the API Worker has verified, and nothing a client could
 * forge or a hub has no business knowing (the token, cookies, the client's own copies of the identity headers).
 */
export function liveRequest(request: Request, identity: LiveIdentity): Request {
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  headers.delete("cookie");
  const offered = (headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== "" && !protocol.startsWith(BEARER_PROTOCOL_PREFIX));
  headers.delete("sec-websocket-protocol");
  if (offered.length > 0) {
    headers.set("sec-websocket-protocol", offered.join(", "));
  }
  for (const [name, value] of identityHeaders(identity)) {
    headers.set(name, value);
  }
  return new Request(request, { headers });
}

function located(hint: string): DurableObjectNamespaceGetDurableObjectOptions {
  const known = locationHints.find((location) => location === hint);
  return known === undefined ? {} : { locationHint: known };
}
