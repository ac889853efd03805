import { expect, test } from "vitest";
import type { DeadLetter } from "../../../src/consumer/ports.ts";
import { DEAD_LETTERS_PER_HOUR, DeadLetterBuffer, hourOf } from "../../../src/consumer/read/dead-letter-buffer.ts";
import { FakeTime } from "./fakes.ts";

const letter = (offset: number, timestamp: number): DeadLetter => ({
  topicId: "t",
  offset,
  timestamp,
  reason: "not_json",
  detail: "value is not JSON",
  key: "",
  value: "garbage",
  truncated: false,
});

test("the limit goes by the hour in which records are set aside, whatever their own timestamps say", async () => {
  const time = new FakeTime(Date.UTC(2026, 10, 22, 20));
  const buffer = new DeadLetterBuffer(time);
  const hour = hourOf(time.now());
  const fill = (from: number) => {
    for (let i = 0; i < DEAD_LETTERS_PER_HOUR + 500; i++) {
      buffer.add(letter(from + i, time.now() + i * 3_600_000));
    }
  };
  fill(0);
  await time.pass(3_600_000);
  fill(10_000);
  const { deadLetters, unkept } = buffer.take();
  expect(deadLetters).toHaveLength(2 * DEAD_LETTERS_PER_HOUR);
  expect(unkept).toEqual([
    { reason: "not_json", hour, count: 500 },
    { reason: "not_json", hour: hour + 1, count: 500 },
  ]);
});
