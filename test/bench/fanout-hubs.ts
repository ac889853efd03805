// The two contenders of the fan-out benchmark behind one face: the product's hub behind the API Worker, and a bare
// object, each in a workerd of its own.
import { createTestHarness } from "wrangler";
import { type CreatorId, contentIdSchema, creatorIdSchema, sourceSchema } from "../../src/contract/ids.ts";
import { LIVE_PROTOCOL } from "../../src/contract/live-frames.ts";
import type { ExpectedSources, Publish, ReaderReport, SourceItem, WatchChanges } from "../../src/contract/live-rpc.ts";
import type { SocketTarget } from "./fanout-sockets.ts";
import { cpuSeconds, descendants } from "./process-cpu.ts";
import { API, startProductWorkers } from "./product-workers.ts";

const SOURCE = sourceSchema.parse("user.engagement.events:0");
/** As often as a reader reports. */
const REPORT_INTERVAL_MS = 1_000;
/** Items of the creator; one of them changes with each publish. */
const ITEMS = 10;
/** More than the benchmark opens: 2,000 and then 1,000 again, and some while the old ones still close. */
const SOCKET_LIMITS = { open: 4_000, perMinute: 1_000_000 };

/** One creator's or one object's sockets and how to send to them. */
export interface Hub {
  target(name: string): Promise<SocketTarget>;
  /** Sends frame number `count` to the sockets of a name; the frame contains what {@link Hub.mark} says. */
  send(name: string, count: number): Promise<unknown>;
  mark(count: number): string;
  /** CPU seconds of its workerd so far. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** The product's hub. */
export interface ProductHub extends Hub {
  databaseRequests(): number;
}

/** What the benchmark calls of the product's objects; the stubs give copies, so everything is a promise. */
interface ProductEnv {
  readonly CREATOR_HUB: { getByName(name: string): { publish(publish: Publish): Promise<unknown> } };
  readonly WATCH_LIST: {
    getByName(name: string): {
      expect(sources: ExpectedSources): Promise<unknown>;
      report(report: ReaderReport): Promise<WatchChanges>;
    };
  };
}
interface BareEnv {
  readonly BARE_HUB: { getByName(name: string): { broadcast(text: string, unused: Publish): Promise<unknown> } };
}

/** Starts the API Worker; this process stands in for the one reader. */
export async function startProductHub(): Promise<ProductHub> {
  const product = await startProductWorkers({ sockets: SOCKET_LIMITS });
  const env = await product.harness.getWorker<ProductEnv>(API).getEnv();
  const list = env.WATCH_LIST.getByName("watch-list:0");
  await list.expect({ v: 1, sources: [SOURCE] });
  let served: ReaderReport["served"] = null;
  let reporting: Promise<unknown> = Promise.resolve();
  const report = async () => {
    const at = Date.now();
    const health = {
      state: "ok",
      lastFetchAt: at,
      caughtUp: true,
      lagRecords: 0,
      lagSeconds: 0,
      reason: null,
    } as const;
    served = (await list.report({ v: 1, source: SOURCE, partitions: 1, epoch: 1, offset: 0, served, health })).version;
  };
  await report();
  const timer = setInterval(() => {
    reporting = report();
  }, REPORT_INTERVAL_MS);
  const stubs = stubsOf((name: string) => env.CREATOR_HUB.getByName(`creator:${name}:0`));
  return {
    target: async (name) => ({
      url: `${product.apiUrl.replace("http", "ws")}/ws/creator/live-metrics`,
      protocols: [LIVE_PROTOCOL],
      wantsReceipts: true,
      headers: { authorization: `Bearer ${await product.token(name)}` },
    }),
    send: (name, count) => stubs(name).publish(publishOf(creatorIdSchema.parse(name), count)),
    mark,
    cpuSeconds: () => product.workerd.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    databaseRequests: () => product.databaseRequests(),
    stop: async () => {
      clearInterval(timer);
      await reporting;
      await product.stop();
    },
  };
}

/**
 * Starts the bare object. `frameBytes` is asked at each send: its frames are as long as the product's; and so is what it
 * is called with, since bringing a call to an object is no work of the hub's.
 */
export async function startBareHub(frameBytes: () => number): Promise<Hub> {
  const before = new Set(descendants("workerd"));
  const harness = createTestHarness({ workers: [{ configPath: "./test/bench/peers/bare-hub/wrangler.toml" }] });
  const { url } = await harness.listen();
  const workerd = descendants("workerd").filter((pid) => !before.has(pid));
  const env = await harness.getWorker<BareEnv>().getEnv();
  const stubs = stubsOf((name: string) => env.BARE_HUB.getByName(`/${name}`));
  return {
    target: (name) =>
      Promise.resolve({
        url: `${url.origin.replace("http", "ws")}/${name}`,
        protocols: [],
        headers: {},
        wantsReceipts: false,
      }),
    send: (name, count) =>
      stubs(name).broadcast(mark(count).padEnd(frameBytes(), "x"), publishOf(creatorIdSchema.parse(name), count)),
    mark,
    cpuSeconds: () => workerd.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    stop: () => harness.close(),
  };
}

/** A number of views that occurs nowhere else in a frame. */
const viewsOf = (count: number) => 7_000_000 + count;

const mark = (count: number) => `"views":${viewsOf(count)},`;

/** Naming an object is a call to workerd too: once is enough. */
function stubsOf<Stub>(make: (name: string) => Stub): (name: string) => Stub {
  const made = new Map<string, Stub>();
  return (name) => {
    const stub = made.get(name) ?? make(name);
    made.set(name, stub);
    return stub;
  };
}

function publishOf(creatorId: CreatorId, count: number): Publish {
  const at = Date.now();
  const items = Array.from({ length: ITEMS }, (_, index): SourceItem => {
    return {
      contentId: contentIdSchema.parse(`${creatorId}_v${index}`),
      isLive: index === 0,
      liveViewers: 40 + (index === 0 ? count : 0),
      peakViewers: 40 + (index === 0 ? count : 0),
      peakAt: 1_790_000_000_000,
      views: index === 0 ? viewsOf(count) - ITEMS + 1 : 1,
      likes: 20,
      shares: 3,
      completions: 5,
      watchSeconds: 15 + (index === 0 ? 15 * count : 0),
      since: 1_790_000_000_000,
      viewsPerMinute: { firstMinute: Math.floor(at / 60_000) - 9, counts: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] },
      approximate: false,
    };
  });
  const sum = (of: (one: SourceItem) => number) => items.reduce((total, one) => total + of(one), 0);
  return {
    v: 1,
    creatorId,
    source: SOURCE,
    epoch: 1,
    offset: count,
    at,
    caughtUp: true,
    totals: {
      liveViewers: sum((one) => one.liveViewers),
      views: sum((one) => one.views),
      likes: sum((one) => one.likes),
      shares: sum((one) => one.shares),
      completions: sum((one) => one.completions),
      watchSeconds: sum((one) => one.watchSeconds),
      items: items.length,
    },
    items,
  };
}
