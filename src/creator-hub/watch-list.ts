// The watch list's Durable Object: parses what comes in, and connects the core to storage, clock, alarm and hubs.
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../runtime/clock.ts";
import { createLog } from "../runtime/log.ts";
import { systemTimers } from "../runtime/timers.ts";
import {
  expectedSourcesSchema,
  leaseSchema,
  readerReportSchema,
  type Ack,
  type ExpectedSources,
  type Lease,
  type ReaderReport,
  type SourcesState,
  type WatchChanges,
  type WatchListStatus,
} from "../contract/live-rpc.ts";
import { objectSql } from "./object-sql.ts";
import { parseArgument } from "./rpc-argument.ts";
import { creatorHub } from "./stubs.ts";
import { WatchListCore } from "./watch-list-core.ts";
import { WatchListStorage } from "./watch-list-storage.ts";

/** Which creators have a dashboard open, and how the sources that serve them fare. */
export class WatchList extends DurableObject<ApiEnv> {
  readonly #core: WatchListCore;

  constructor(ctx: DurableObjectState, env: ApiEnv) {
    super(ctx, env);
    const log = createLog({ service: "watch-list" });
    this.#core = new WatchListCore(crypto.randomUUID(), {
      clock: systemClock,
      storage: new WatchListStorage(objectSql(ctx.storage)),
      hubs: { sourcesChanged: async (word) => creatorHub(env, word.creatorId).sourcesChanged(word) },
      timers: systemTimers,
      // Not awaited: the runtime holds answers back until the write is durable, and a failed one resets the object.
      alarm: { set: (atMs) => void ctx.storage.setAlarm(atMs) },
      log,
    });
  }

  /** A hub takes or renews its lease. */
  renew(call: Lease): SourcesState {
    return this.#core.renew(parseArgument(leaseSchema, call));
  }

  /** A hub without sockets gives its lease back. */
  release(call: Lease): Ack {
    return this.#core.release(parseArgument(leaseSchema, call));
  }

  /** A reader's poll. */
  report(call: ReaderReport): WatchChanges {
    return this.#core.report(parseArgument(readerReportSchema, call));
  }

  /** The supervisor says which sources there should be. */
  expect(call: ExpectedSources): Ack {
    return this.#core.expect(parseArgument(expectedSourcesSchema, call));
  }

  /** For the admin endpoint. */
  status(): WatchListStatus {
    return this.#core.status();
  }

  override alarm(): void {
    this.#core.alarm();
  }
}
