// The Durable Object that reads one topic-partition, named `topic:partition`. There is one in the world, so it is the
// assignment. Everything that decides lives in the cores; here they get storage, timers and the way to hubs and bridge.
import { DurableObject } from "cloudflare:workers";
import { type Source, sourceSchema, splitSource } from "../contract/ids.ts";
import { creatorHub, watchList } from "../creator-hub/stubs.ts";
import { systemClock } from "../runtime/clock.ts";
import { createLog, type Log } from "../runtime/log.ts";
import type { Gap, ReaderPorts } from "./ports.ts";
import { withDeadline } from "../runtime/deadline.ts";
import { EngagementHandler } from "./read/engagement-handler.ts";
import { PartitionLoop } from "./read/partition-loop.ts";
import { RareHandler } from "./read/rare-handler.ts";
import type { ReaderStatus } from "./read/reader-status.ts";
import { type DeadLetterCounts, statusLine } from "./read/status-line.ts";
import { kindOf, topicNames } from "./topics.ts";
import { Bridge, bridgeSource } from "./workerd/bridge-source.ts";
import { gzip } from "./workerd/gzip.ts";
import { ReaderRecords, type StoredDeadLetter } from "./workerd/reader-records.ts";
import { SqliteReaderStorage } from "./workerd/sqlite-storage.ts";
import { systemTimers } from "../runtime/timers.ts";

/** One alarm's work. A Worker may make 10,000 calls an invocation; half of them leave room. */
const RUN_LIMITS = { ms: 30_000, records: 500_000, calls: 5_000 };
/** The next alarm is set before the work begins, so that a reader that dies is back within a second. */
const REVIVE_MS = 1_000;
const PRODUCE_DEADLINE_MS = 10_000;
const MINUTE_MS = 60_000;

/** A reader as an administrator sees it. */
export interface ReaderReportForAdmin {
  readonly status: ReaderStatus;
  readonly deadLetters: DeadLetterCounts;
  readonly gaps: Gap[];
  readonly parked: { creatorId: string; events: number }[];
}

/** Which dead letters to produce again. */
export interface ReplayRequest {
  /** Their numbers; absent: all that have not been replayed. */
  readonly ids?: readonly number[] | undefined;
  readonly reason?: string | undefined;
}

/** What became of a replay. `cut` are those whose value was too long to be kept whole. */
export interface ReplayResult {
  readonly replayed: number;
  readonly cut: number[];
}

/** Reads one topic-partition. */
export class PartitionReader extends DurableObject<ConsumerEnv> {
  readonly #source: Source;
  readonly #bridge: Bridge;
  readonly #records: ReaderRecords;
  readonly #loop: PartitionLoop;
  readonly #log: Log;
  #loggedMinute = -1;

  constructor(ctx: DurableObjectState, env: ConsumerEnv) {
    super(ctx, env);
    this.#source = sourceSchema.parse(ctx.id.name);
    this.#bridge = new Bridge({
      url: env.KAFKA_REST_URL,
      username: env.KAFKA_REST_USERNAME,
      password: env.KAFKA_REST_PASSWORD,
    });
    this.#log = createLog({ service: "consumer", source: this.#source });
    const kind = kindOf(topicNames(env), splitSource(this.#source).topic);
    const ports: ReaderPorts = {
      source: this.#source,
      records: bridgeSource(this.#bridge, this.#source),
      storage: new SqliteReaderStorage(ctx.storage, systemClock),
      hubs: {
        publish: (publish) => creatorHub(env, publish.creatorId).publish(publish),
        applyRare: (batch) => creatorHub(env, batch.creatorId).applyRare(batch),
        recordStreamShare: (share) => creatorHub(env, share.creatorId).recordStreamShare(share),
      },
      watchList: { report: (report) => watchList(env).report(report) },
      timers: systemTimers,
      clock: systemClock,
      compressor: gzip,
      log: this.#log,
    };
    this.#records = new ReaderRecords(ctx.storage);
    this.#loop = new PartitionLoop(ports, (suspects, loop) => {
      if (kind === undefined) {
        throw new Error("this topic is not configured");
      }
      return kind === "engagement"
        ? new EngagementHandler(ports, suspects, loop)
        : new RareHandler(ports, kind, suspects);
    });
  }

  /** Starts the reader unless it runs; `presentAtFirstStart` counts only before its very first start. */
  async start(presentAtFirstStart: boolean): Promise<void> {
    this.#records.tellPresentAtFirstStart(presentAtFirstStart);
    if ((await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(systemClock.now());
    }
    this.#logStatus();
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.setAlarm(systemClock.now() + REVIVE_MS);
    await this.#loop.run(RUN_LIMITS);
  }

  /** How the reader fares. */
  report(): ReaderReportForAdmin {
    return {
      status: this.#loop.status(),
      deadLetters: this.#records.deadLetterCounts(),
      gaps: this.#records.gaps(),
      parked: this.#records.parked(),
    };
  }

  /** Dead letters after an id, in the order in which they were found. */
  deadLetters(afterId: number, limit: number, reason?: string): StoredDeadLetter[] {
    return this.#records.deadLetters(afterId, limit, reason);
  }

  /** Produces dead letters to their topic again, with the ids they had. Throws when the bridge does not take one. */
  async replayDeadLetters({ ids, reason }: ReplayRequest): Promise<ReplayResult> {
    const wanted = ids === undefined ? undefined : new Set(ids);
    const cut: number[] = [];
    let replayed = 0;
    let after = 0;
    for (let page = this.#records.deadLetters(after, 100, reason); page.length > 0;) {
      for (const letter of page) {
        const isWanted = wanted === undefined ? letter.replayedAt === null : wanted.has(letter.id);
        if (isWanted && letter.truncated) {
          cut.push(letter.id);
        } else if (isWanted) {
          await this.#produce(letter);
          replayed++;
        }
        after = letter.id;
      }
      page = this.#records.deadLetters(after, 100, reason);
    }
    return { replayed, cut };
  }

  /** Begins anew at the earliest record: an operator's answer to a reader that has stopped. */
  async reset(): Promise<void> {
    this.#records.reset();
    this.#loop.restart();
    await this.start(false);
  }

  /** Throws away all that is in memory, as a crash does: the reader goes on from what is stored. Never answers. */
  restart(): void {
    this.ctx.abort("restarted by an operator");
  }

  /** Once a minute, however often the reader is told to run; a reader that hangs is logged, too. */
  #logStatus(): void {
    const minute = Math.floor(systemClock.now() / MINUTE_MS);
    if (minute !== this.#loggedMinute) {
      this.#loggedMinute = minute;
      this.#log.info("reader status", statusLine(this.#loop.status(), this.#records.deadLetterCounts()));
    }
  }

  async #produce(letter: StoredDeadLetter): Promise<void> {
    // The partition it came from, whatever its key: its creator's numbers stay with one source.
    const { topic, partition } = splitSource(this.#source);
    const record = { topic, partition, key: letter.key, value: letter.value };
    await withDeadline(systemTimers, PRODUCE_DEADLINE_MS, (signal) => this.#bridge.request("/produce", record, signal));
    this.#records.replayed(letter.id, systemClock.now());
  }
}
