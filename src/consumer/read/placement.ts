// Where a reader begins, and under which epoch.
import { withDeadline } from "../../runtime/deadline.ts";
import type { PartitionBounds, Position, ReaderPorts } from "../ports.ts";

/** The first start of a deployment reads engagement from this long ago: what is live, and what just was. */
const FIRST_START_BACK_MS = 3_600_000;
const DEADLINE_MS = 5_000;

/** How a reader without a checkpoint begins. */
export type Beginning = "an hour ago" | "earliest";

/** An epoch above every earlier one, also where storage was wiped: then the clock is ahead of it. */
export function nextEpoch(lastEpoch: number, now: number): number {
  return Math.max(lastEpoch + 1, now);
}

/** The position at which reading a topic begins. Throws when the bridge does not answer. */
export async function beginAt(
  ports: Pick<ReaderPorts, "records" | "timers" | "clock">,
  bounds: PartitionBounds,
  beginning: Beginning,
  lastEpoch: number,
): Promise<Position> {
  const now = ports.clock.now();
  const found =
    beginning === "earliest"
      ? bounds.earliest
      : await withDeadline(ports.timers, DEADLINE_MS, (signal) =>
          ports.records.offsetAt(bounds.topicId, now - FIRST_START_BACK_MS, signal),
        );
  return {
    topicId: bounds.topicId,
    epoch: nextEpoch(lastEpoch, now),
    offset: Math.min(Math.max(found, bounds.earliest), bounds.latest),
  };
}
