import { beforeEach, expect, test } from "vitest";
import type { LogRecord, StoredReader, Suspect } from "../../../src/consumer/ports.ts";
import { Suspects } from "../../../src/consumer/read/suspects.ts";
import { FakeStorage } from "./fakes.ts";

const records = (from: number, to: number): LogRecord[] =>
  Array.from({ length: to - from }, (_, i) => ({ offset: from + i, timestamp: 0, key: "", value: "" }));

let storage: FakeStorage;
beforeEach(() => {
  storage = new FakeStorage();
});

async function startedAfter(starts: number, suspect: Suspect | null): Promise<Suspects> {
  storage.suspected = suspect;
  const stored: StoredReader = {
    checkpoints: [],
    lastEpoch: 0,
    starts,
    suspect,
    stopped: null,
    presentAtFirstStart: false,
    parked: [],
  };
  const suspects = new Suspects(storage, stored);
  await suspects.begin();
  return suspects;
}

const shapes = (suspects: Suspects, batch: LogRecord[]) =>
  suspects.portions(batch).map((portion) => ({
    from: portion.records[0]?.offset,
    to: (portion.records.at(-1)?.offset ?? 0) + 1,
    isCulprit: portion.isCulprit,
    suspected: portion.suspect !== null,
  }));

test("a reader that has not died takes batches whole and remembers nothing", async () => {
  const suspects = await startedAfter(1, null);
  expect(shapes(suspects, records(0, 5))).toEqual([{ from: 0, to: 5, isCulprit: false, suspected: false }]);
});

test("a reader that died remembers each batch before it takes it", async () => {
  const suspects = await startedAfter(2, null);
  const [portion] = suspects.portions(records(0, 5));
  await suspects.take(portion ?? { records: [], isCulprit: false, suspect: null });
  expect(storage.suspected).toEqual({ from: 0, to: 5, deaths: 0, inHand: true });
});

test("a batch on which it died three times is taken record by record", async () => {
  const suspects = await startedAfter(4, { from: 2, to: 5, deaths: 2, inHand: true });
  expect(storage.suspected).toMatchObject({ deaths: 3, inHand: false });
  expect(shapes(suspects, records(0, 7)).map(({ from, to }) => [from, to])).toEqual([
    [0, 2],
    [2, 3],
    [3, 4],
    [4, 5],
    [5, 7],
  ]);
});

test("a record on which it died three times is the culprit, and is not forgotten before a commit has passed it", async () => {
  const suspects = await startedAfter(7, { from: 3, to: 4, deaths: 2, inHand: true });
  expect(shapes(suspects, records(2, 6))).toEqual([
    { from: 2, to: 3, isCulprit: false, suspected: false },
    { from: 3, to: 4, isCulprit: true, suspected: false },
    { from: 4, to: 6, isCulprit: false, suspected: false },
  ]);
  suspects.passed(3);
  expect(shapes(suspects, records(3, 4))).toMatchObject([{ isCulprit: true }]);
  suspects.passed(4);
  expect(shapes(suspects, records(4, 6))).toMatchObject([{ suspected: false }]);
});

test("a death on something else clears a batch of suspicion", async () => {
  const suspects = await startedAfter(3, { from: 2, to: 5, deaths: 2, inHand: false });
  expect(shapes(suspects, records(0, 5))).toEqual([{ from: 0, to: 5, isCulprit: false, suspected: true }]);
});
