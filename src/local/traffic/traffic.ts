// The traffic generator at work: every quarter of a second, what happened since goes through the bridge.
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Playback } from "./playback.ts";
import { produce, type ProducerOptions } from "./producer.ts";

/** How often a batch leaves: players' reports trickle in, they do not come in lumps. */
const TICK_MS = 250;
/** The ends of all sessions must be out before a supervisor's patience is. */
const FAREWELL_MS = 2000;
const REPORT_EVERY_MS = 60_000;

/** The parts of a running generator. */
export interface TrafficOptions {
  readonly playback: Playback;
  readonly producer: ProducerOptions;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each batch that the bridge acknowledged, to keep what must outlive the process. */
  readonly keep: () => void;
}

/**
 * Plays until `signal` fires, then ends every session and returns. What was not produced by then never happened: the
 * log alone says what was played.
 */
export async function playTraffic(options: TrafficOptions, signal: AbortSignal): Promise<void> {
  const { playback, producer, clock, log, keep } = options;
  let produced = 0;
  let reportAt = clock.now() + REPORT_EVERY_MS;
  while (!signal.aborted) {
    produced += await produce(producer, playback.advance(clock.now()), signal);
    keep();
    if (clock.now() >= reportAt) {
      log.info("traffic.playing", { produced, sessions: playback.sessions });
      reportAt = clock.now() + REPORT_EVERY_MS;
    }
    await producer.pause(TICK_MS, signal);
  }
  produced += await produce(producer, playback.finish(clock.now()), AbortSignal.timeout(FAREWELL_MS));
  keep();
  log.info("traffic.stopped", { produced });
}
