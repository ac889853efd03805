// A record of the engagement topic → an event, a type to skip, or a refusal. The checks are written by hand because a
// schema costs several times the whole fold of an event where code generation is off, as in workerd. They accept
// exactly what `engagementEventSchema` accepts, which a property test holds them to; refusals are put in words by it.
import { deviceSchema, engagementEventSchema, type EngagementType, engagementTypes } from "../../contract/events.ts";
import { type ContentId, type CreatorId, idPattern } from "../../contract/ids.ts";
import type { LogRecord } from "../ports.ts";
import { parseIsoInstant } from "./iso-instant.ts";
import { parseObject, Rejected, rejectFields, Skipped } from "./rejection.ts";

/** What the fold needs of one engagement event. */
export interface EngagementRecord {
  readonly type: EngagementType;
  readonly eventId: string;
  readonly creatorId: CreatorId;
  readonly contentId: ContentId;
  readonly sessionId: string;
  /** The session's own clock, milliseconds since the Unix epoch; may be far off. */
  readonly occurredAt: number;
  /** Seconds watched since the session's last beat, 0 when missing. */
  readonly watchSeconds: number;
  readonly isLive: boolean;
}

const knownTypes = new Map<unknown, EngagementType>(engagementTypes.map((type) => [type, type]));
const knownDevices = new Set<unknown>(deviceSchema.options);
const countryPattern = /^[A-Z]{2}$/;
const MAX_FOREIGN_ID = 256;
const MAX_WATCH_SECONDS = 86_400;

const isId = (value: unknown): value is string => typeof value === "string" && idPattern.test(value);

const isForeignId = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= MAX_FOREIGN_ID;

const isWatchSeconds = (value: unknown): value is number | undefined =>
  value === undefined || (typeof value === "number" && value >= 0 && value <= MAX_WATCH_SECONDS);

const isFlag = (value: unknown): value is boolean | undefined => value === undefined || typeof value === "boolean";

/** `country` and `device` are not counted here, yet an event with a wrong one is no valid event. */
const hasValidAudience = (country: unknown, device: unknown): boolean =>
  (country === undefined || (typeof country === "string" && countryPattern.test(country))) &&
  (device === undefined || knownDevices.has(device));

/** The event in a parsed object; undefined when it does not fit the schema. */
export function readEngagementEvent(object: Record<string, unknown>): EngagementRecord | undefined {
  const { eventId, creatorId, contentId, sessionId, occurredAt, watchSeconds, isLive } = object;
  const type = knownTypes.get(object["type"]);
  if (
    type === undefined ||
    !isForeignId(eventId) ||
    !isId(creatorId) ||
    !isId(contentId) ||
    !isForeignId(sessionId) ||
    typeof occurredAt !== "string" ||
    !isWatchSeconds(watchSeconds) ||
    !isFlag(isLive) ||
    !hasValidAudience(object["country"], object["device"])
  ) {
    return undefined;
  }
  const instant = parseIsoInstant(occurredAt);
  if (Number.isNaN(instant)) {
    return undefined;
  }
  return {
    type,
    eventId,
    // Brands say that the pattern held, which `isId` has just checked.
    creatorId: creatorId as CreatorId,
    contentId: contentId as ContentId,
    sessionId,
    occurredAt: instant,
    watchSeconds: watchSeconds ?? 0,
    isLive: isLive ?? false,
  };
}

/** Decodes one record of the engagement topic. Never throws. */
export function decodeEngagement(record: LogRecord): EngagementRecord | Skipped | Rejected {
  const object = parseObject(record.value);
  if (object instanceof Rejected) {
    return object;
  }
  const event = readEngagementEvent(object);
  if (event !== undefined) {
    return event;
  }
  const { type } = object;
  if (typeof type === "string" && !knownTypes.has(type)) {
    return new Skipped(type);
  }
  return explain(object);
}

function explain(object: Record<string, unknown>): Rejected {
  const { error } = engagementEventSchema.safeParse(object);
  return error ? rejectFields(error) : new Rejected("invalid_field", "not an engagement event");
}
