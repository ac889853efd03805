// How often what goes wrong. Each seed draws its own mixture, so that some runs are calm in all but one respect.
import type { Chance } from "./chance.ts";

/** Probabilities per opportunity, and spans in ms. */
export interface Faults {
  /** A call that never reaches its receiver. */
  lostCall: number;
  /** A call that has its effect while the caller learns of a failure. */
  lostAnswer: number;
  /** A call that has its effect once more, later. */
  repeatedCall: number;
  /** A call that is answered only after minutes. */
  hangingCall: number;
  /** Calls that take seconds, so that later ones overtake them. */
  slowCall: number;
  /** Per step: a reader dies. */
  readerCrash: number;
  /** Per transaction of a reader: it dies when that is durable, before it hears of it. */
  readerDeathAtCommit: number;
  /** Per step: a reader dies and loses all it had stored, so that it reads everything again. */
  diskLoss: number;
  /** Per step: everything stands still for a minute or a few, so that streams end. */
  standstill: number;
  /** Per step: everything stands still for two days. */
  longPause: number;
  /** Per step: a hub is evicted; its sockets survive, or do not. */
  hubEviction: number;
  /** Per commit of a hub: it dies right after, in the middle of what it was doing. */
  hubDeathAtCommit: number;
  /** Per step: the watch list is evicted. */
  watchListEviction: number;
  /** Per step: an object's clock is set wrong by up to this much. */
  clockJump: number;
  clockSkewMs: number;
  /** Per step: the bridge goes away for a while. */
  bridgeOutage: number;
  /** Per step: no object can be called by another for a while; each call fails at once. */
  unreachable: number;
  /** Per step: one reader stops being scheduled for a while. */
  readerStall: number;
  /** Per step: retention removes records, read or not. */
  retention: number;
  /** Per step: a topic is deleted and created again. */
  recreation: number;
  /** Per step: the engagement topic gets one more partition. */
  growth: number;
  /** A produced event is produced again. */
  duplicate: number;
  /** A produced record is no event. */
  garbage: number;
  /** A fetch that fails. */
  failedFetch: number;
}

/** Nothing goes wrong. */
export const calm: Faults = {
  lostCall: 0,
  lostAnswer: 0,
  repeatedCall: 0,
  hangingCall: 0,
  slowCall: 0,
  readerCrash: 0,
  readerDeathAtCommit: 0,
  diskLoss: 0,
  standstill: 0,
  longPause: 0,
  hubEviction: 0,
  hubDeathAtCommit: 0,
  watchListEviction: 0,
  clockJump: 0,
  clockSkewMs: 0,
  bridgeOutage: 0,
  unreachable: 0,
  readerStall: 0,
  retention: 0,
  recreation: 0,
  growth: 0,
  duplicate: 0,
  garbage: 0,
  failedFetch: 0,
};

/** The most of each fault that a seed may draw. */
const worst: Faults = {
  lostCall: 0.08,
  lostAnswer: 0.08,
  repeatedCall: 0.08,
  hangingCall: 0.01,
  slowCall: 0.1,
  readerCrash: 0.03,
  readerDeathAtCommit: 0.1,
  diskLoss: 0.003,
  standstill: 0.008,
  longPause: 0.001,
  hubEviction: 0.02,
  hubDeathAtCommit: 0.03,
  watchListEviction: 0.01,
  clockJump: 0.01,
  clockSkewMs: 600_000,
  bridgeOutage: 0.004,
  unreachable: 0.004,
  readerStall: 0.004,
  retention: 0.004,
  recreation: 0.002,
  growth: 0.003,
  duplicate: 0.2,
  garbage: 0.08,
  failedFetch: 0.05,
};

/** A mixture: each fault absent in a third of the seeds, else up to its worst. */
export function drawFaults(chance: Chance): Faults {
  const faults = { ...calm };
  // Object.keys of a record that has exactly these keys.
  for (const name of Object.keys(worst) as (keyof Faults)[]) {
    faults[name] = chance.happens(1 / 3) ? 0 : worst[name] * chance.next();
  }
  return faults;
}
