// Logs for properties of the fold: few creators, items and sessions, so that everything collides with everything.
import * as fc from "fast-check";
import type { EngagementRecord } from "../../../src/consumer/decode/decode-engagement.ts";
import { engagementTypes } from "../../../src/contract/events.ts";
import { contentIdSchema, creatorIdSchema } from "../../../src/contract/ids.ts";

/** One step of a log: an event at its record's timestamp. */
export interface Step {
  readonly timestamp: number;
  readonly event: EngagementRecord;
}

/** Where logs begin: 2026-11-22T20:00:00Z. */
export const START = Date.UTC(2026, 10, 22, 20);

const step = fc.record({
  /** Mostly small, now and then minutes, hours or days. */
  passed: fc.oneof(
    { weight: 12, arbitrary: fc.nat(3_000) },
    { weight: 3, arbitrary: fc.nat(90_000) },
    { weight: 1, arbitrary: fc.nat(200_000_000) },
  ),
  type: fc.constantFrom(...engagementTypes, "view.heartbeat" as const, "view.heartbeat" as const),
  creator: fc.nat(2),
  content: fc.nat(4),
  session: fc.nat(7),
  /** How far the session's clock is off: behind or ahead. */
  skew: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: -2_000, max: 0 }) },
    fc.integer({ min: -600_000, max: 600_000 }),
  ),
  watchSeconds: fc.constantFrom(0, 15, 7.5, 120),
  isLive: fc.boolean(),
});

/** A log of up to `maxLength` events with distinct ids. */
export const logs = (maxLength = 120): fc.Arbitrary<Step[]> =>
  fc.array(step, { maxLength }).map((steps) => {
    let now = START;
    return steps.map(({ passed, type, creator, content, session, skew, watchSeconds, isLive }, i) => {
      now += passed;
      return {
        timestamp: now,
        event: {
          type,
          eventId: `event-${i}`,
          creatorId: creatorIdSchema.parse(`crt_${creator}`),
          contentId: contentIdSchema.parse(`cnt_${content}`),
          sessionId: `session-${session}`,
          occurredAt: now + skew,
          watchSeconds,
          isLive,
        },
      };
    });
  });

/** Limits so small that everything has to make room. */
export const tightLimits = { sessions: 6, items: 5, recentEvents: 20, crowd: 2, sketchedStreams: 2 };
