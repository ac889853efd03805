// Which records of a request are sent at which try, and by which sequences.
import { expect, it } from "vitest";
import { Deliveries, sequenceAfter } from "../../src/bridge/kafka-deliveries.ts";

const record = (partition: number) => ({ topic: "t", partition, timestamp: 0n });
const producer = { producerId: 1n, producerEpoch: 0 };
const later = { producerId: 2n, producerEpoch: 0 };

function answer(...partitions: { index: number; errorCode: number }[]) {
  const partitionResponses = partitions.map((each) => ({
    ...each,
    baseOffset: 10n,
    logAppendTimeMs: -1n,
    logStartOffset: 0n,
    recordErrors: [],
    errorMessage: null,
  }));
  return { responses: [{ name: "t", partitionResponses }], throttleTimeMs: 0 };
}

it("counts sequences for each producer by itself, and gives the same ones at every try", () => {
  const deliveries = new Deliveries();
  const [first, second, third] = [[record(0), record(0)], [record(0)], [record(0)]];
  const sequence = (records: typeof first, by = producer) => deliveries.remainder(records, by).sequences.get("t:0");
  expect([sequence(first), sequence(second, later), sequence(third)]).toEqual([0, 0, 2]);
  expect([sequence(first), sequence(third), sequence(third, later)]).toEqual([0, 2, 1]);
});

it("sends again only what was refused, and answers for all in the end", () => {
  const deliveries = new Deliveries();
  const records = [record(0), record(1), record(0)];
  deliveries.remainder(records, producer);
  deliveries.refused(records, answer({ index: 0, errorCode: 0 }, { index: 1, errorCode: 45 }));
  const again = deliveries.remainder(records, later);
  expect(again).toEqual({ records: [record(1)], sequences: new Map([["t:1", 0]]) });
  const { responses } = deliveries.answered(records, answer({ index: 1, errorCode: 0 }));
  expect(responses.flatMap((topic) => topic.partitionResponses.map(({ index }) => index))).toEqual([0, 1]);
});

it("begins again at 0 behind the last sequence that there is", () => {
  expect(sequenceAfter(2 ** 31 - 2, 1)).toBe(2 ** 31 - 1);
  expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0);
  expect(sequenceAfter(2 ** 31 - 2, 5)).toBe(3);
});
