// The Durable Object behind the cron trigger: it knows which topic-partitions there are and which there were at the
// deployment's first start, starts their readers, revives dead ones, and tells the watch list which sources to expect.
import { DurableObject } from "cloudflare:workers";
import { type Source, sourceOf, sourceSchema, splitSource } from "../contract/ids.ts";
import { LIVE_RPC_VERSION } from "../contract/live-rpc.ts";
import { watchList } from "../creator-hub/stubs.ts";
import { createLog, describeError } from "../runtime/log.ts";
import { withDeadline } from "../runtime/deadline.ts";
import { kindOf, topicNames } from "./topics.ts";
import { Bridge } from "./workerd/bridge-source.ts";
import { systemTimers } from "../runtime/timers.ts";

const TOPICS_DEADLINE_MS = 10_000;
const CALL_DEADLINE_MS = 5_000;
/** A source that this many answers in a row do not name is gone: one answer of a cluster in trouble may lack some. */
const ANSWERS_UNTIL_GONE = 2;
/** Readers started at once. */
const CALLS_AT_ONCE = 16;

/** What one round did. */
export interface Round {
  /** Sources whose readers were told to run. */
  readonly started: number;
  readonly failed: number;
  /** Null when the bridge named the topics; otherwise the readers known from before were told to run. */
  readonly bridgeFailure: string | null;
}

/** A topic-partition that has been seen. */
interface Known {
  readonly source: Source;
  readonly presentAtFirstStart: boolean;
}

/** Keeps readers running. */
export class Supervisor extends DurableObject<ConsumerEnv> {
  readonly #sql: SqlStorage;
  readonly #log = createLog({ service: "consumer", part: "supervisor" });

  constructor(ctx: DurableObjectState, env: ConsumerEnv) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    // `is_there`: how many more answers may lack the source.
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS known (source TEXT PRIMARY KEY, present_at_first_start INTEGER NOT NULL, is_there INTEGER NOT NULL)",
    );
  }

  /** Looks at the topics and sees to the readers. */
  async round(): Promise<Round> {
    let bridgeFailure: string | null = null;
    try {
      this.#learn(await this.#sourcesThere());
    } catch (error) {
      bridgeFailure = describeError(error);
      this.#log.warn("topics unknown", { error: bridgeFailure });
    }
    const known = this.#known();
    const failed = await this.#startAll(known);
    await this.#tellWatchList(known).catch((error: unknown) =>
      this.#log.warn("watch list not told", { error: describeError(error) }),
    );
    return { started: known.length - failed, failed, bridgeFailure };
  }

  /** The topic-partitions that are there. */
  sources(): Source[] {
    return this.#known().map(({ source }) => source);
  }

  async #sourcesThere(): Promise<Source[]> {
    const { KAFKA_REST_URL: url, KAFKA_REST_USERNAME: username, KAFKA_REST_PASSWORD: password } = this.env;
    const bridge = new Bridge({ url, username, password });
    const topics = await withDeadline(systemTimers, TOPICS_DEADLINE_MS, (signal) => bridge.topics(signal));
    const names = topicNames(this.env);
    return Object.entries(topics)
      .filter(([topic]) => kindOf(names, topic) !== undefined)
      .flatMap(([topic, { partitions }]) => partitions.map(({ partition }) => sourceOf(topic, partition)));
  }

  #learn(there: readonly Source[]): void {
    this.ctx.storage.transactionSync(() => {
      const { seen } = this.#sql.exec<{ seen: number }>("SELECT count(*) AS seen FROM known").one();
      this.#sql.exec("UPDATE known SET is_there = max(0, is_there - 1)");
      for (const source of there) {
        this.#sql.exec(
          "INSERT INTO known VALUES (?, ?, ?) ON CONFLICT (source) DO UPDATE SET is_there = excluded.is_there",
          source,
          seen === 0 ? 1 : 0,
          ANSWERS_UNTIL_GONE,
        );
      }
    });
  }

  #known(): Known[] {
    const rows = this.#sql.exec<{ source: string; present_at_first_start: number }>(
      "SELECT source, present_at_first_start FROM known WHERE is_there > 0 ORDER BY source",
    );
    return rows.toArray().map((row) => ({
      source: sourceSchema.parse(row.source),
      presentAtFirstStart: row.present_at_first_start === 1,
    }));
  }

  /** @returns how many could not be told */
  async #startAll(known: readonly Known[]): Promise<number> {
    let failed = 0;
    const rest = [...known];
    const work = async () => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
        const { source, presentAtFirstStart } = next;
        try {
          const reader = this.env.PARTITION_READER.getByName(source);
          await withDeadline(systemTimers, CALL_DEADLINE_MS, () => reader.start(presentAtFirstStart));
        } catch (error) {
          failed++;
          this.#log.error("reader not started", { source, error: describeError(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
    return failed;
  }

  async #tellWatchList(known: readonly Known[]): Promise<void> {
    const { engagement } = topicNames(this.env);
    const sources = known.map(({ source }) => source).filter((source) => splitSource(source).topic === engagement);
    await withDeadline(systemTimers, CALL_DEADLINE_MS, () =>
      watchList(this.env).expect({ v: LIVE_RPC_VERSION, sources }),
    );
  }
}
