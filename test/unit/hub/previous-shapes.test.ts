// A deploy of one Worker after the other: the new code works with calls and answers as the first deployment makes them.
import { expect, test } from "vitest";
import { leaseSchema, readerReportSchema, sourcesStateSchema } from "../../../src/contract/live-rpc.ts";
import { creator, HubBench, item, publish, source } from "./hub-bench.ts";
import { creatorOf, WatchListBench } from "./watch-list-bench.ts";

const alice = creatorOf("crt_alice");
const health = { state: "ok", lastFetchAt: 1, caughtUp: true, lagRecords: 0, lagSeconds: 0, reason: null };
const report = { v: 1, source: source(0), partitions: 1, epoch: 1, offset: 5, health };

test("a hub is live, stale and live again by the words of a list that numbers none and names no source", async () => {
  const bench = new HubBench();
  const socket = bench.connect();
  await bench.settle();
  const word = {
    v: 1,
    creatorId: creator,
    hubIncarnation: bench.renewals[0]?.hubIncarnation,
    reason: null,
    asOf: null,
  };
  const hear = (more: object) => bench.hub.sourcesChanged(sourcesStateSchema.parse({ ...word, ...more }));

  bench.hub.publish(publish(0, 1, [item("a", { views: 2 })]));
  hear({ complete: true, state: "ok" });
  expect(socket).toMatchObject({ state: "live", totals: { views: 2 } });
  hear({ complete: true, state: "stale", reason: "reader_stalled" });
  expect(socket.state).toBe("stale");
  hear({ complete: true, state: "ok" });

  expect(socket).toMatchObject({ state: "live", totals: { views: 2 } });
});

test("a list serves a hub that says nothing of revisions, by a reader that names nobody it cannot reach", () => {
  const bench = new WatchListBench();
  bench.list.expect({ v: 1, sources: [source(0)] });
  const lease = leaseSchema.parse({ v: 1, creatorId: alice, hubIncarnation: "h_1", sources: [] });
  expect(bench.list.renew(lease)).toMatchObject({ complete: false });

  const { version, watchers } = bench.list.report(readerReportSchema.parse({ ...report, served: null }));
  expect(watchers).toEqual([{ creatorId: alice, hubIncarnation: "h_1" }]);
  bench.list.report(readerReportSchema.parse({ ...report, served: version }));

  expect(bench.list.renew(lease)).toMatchObject({ complete: true, state: "ok" });
});
