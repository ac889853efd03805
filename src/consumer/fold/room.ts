// What gives way when memory is full: idle items are dropped, quiet sessions forgotten, the largest audiences sketched.
// All decided by the state alone, so that a replay decides alike.
import { Crowd } from "./crowd.ts";
import type { FoldLimits, FoldState } from "./fold-state.ts";
import { dropItems } from "./log-time.ts";

/** Room is made for an eighth at once, so that it is made rarely. */
const ROOM_PART = 8;

/** Drops the items longest idle when the table is full, those with viewers or an open stream last. */
export function makeRoomForItem(state: FoldState, limits: FoldLimits): void {
  const { items, streams } = state;
  if (items.size < limits.items) {
    return;
  }
  const { lastSeen, viewers } = items.columns;
  const numbers = Array.from({ length: items.size }, (_, item) => item);
  const isBusy = (item: number) => ((viewers[item] ?? 0) > 0 || streams.has(item) ? 1 : 0);
  numbers.sort((a, b) => isBusy(a) - isBusy(b) || (lastSeen[a] ?? 0) - (lastSeen[b] ?? 0) || a - b);
  const dropped = new Set(numbers.slice(0, Math.ceil(items.size / ROOM_PART)));
  dropItems(state, (item) => dropped.has(item));
}

/**
 * Makes room for a session, at most once a second of log time.
 * @returns whether one more fits
 */
export function makeRoomForSession(state: FoldState, limits: FoldLimits): boolean {
  const { sessions } = state;
  if (sessions.size < limits.sessions) {
    return true;
  }
  const second = Math.floor(state.time / 1_000);
  if (state.roomSoughtAt === second) {
    return false;
  }
  state.roomSoughtAt = second;
  const wanted = limits.sessions - Math.ceil(limits.sessions / ROOM_PART);
  if (sessions.liveCount < sessions.size) {
    sessions.forgetAllQuiet();
  }
  while (sessions.size > wanted && sketchLargest(state, limits)) {
    // One audience after the other, the largest first.
  }
  return sessions.size < limits.sessions;
}

/** @returns false when no audience is large enough to gain by it */
function sketchLargest(state: FoldState, limits: FoldLimits): boolean {
  const { items, sessions, crowds } = state;
  const { viewers } = items.columns;
  let largest = -1;
  for (let item = 0; item < items.size; item++) {
    if (!crowds.has(item) && (viewers[item] ?? 0) > (viewers[largest] ?? limits.crowd - 1)) {
      largest = item;
    }
  }
  if (largest < 0) {
    return false;
  }
  const crowd = new Crowd();
  sessions.forEachLiveOn(largest, (lo, hi, beatAt) => crowd.add(lo, hi, beatAt));
  sessions.forgetItem(largest);
  crowds.set(largest, crowd);
  viewers[largest] = crowd.viewers(state.time);
  items.touch(largest);
  return true;
}
