import { expect, test } from "vitest";
import { timeZoneCases } from "../time-zone-cases.ts";

test.each(timeZoneCases)("in Node, $name", ({ actual, expected }) => {
  expect(actual()).toEqual(expected);
});
