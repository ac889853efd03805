// The limit of failed logins by itself: what it remembers.
import { expect, test } from "vitest";
import { createLoginLimit } from "../../src/bridge/rate-limit.ts";

test("only so many addresses are remembered: those that failed longest ago are forgotten", () => {
  const limit = createLoginLimit({ now: () => 1_000_000 });
  const fail = (address: string) => () =>
    limit(address, () => {
      throw new Error("wrong password");
    });
  for (let i = 0; i < 50; i++) {
    expect(fail("first")).toThrow("wrong password");
  }
  expect(fail("first")).toThrow("Too many failed logins");
  for (let i = 0; i < 10_000; i++) {
    expect(fail(`other ${i}`)).toThrow("wrong password");
  }
  expect(limit("first", () => "in")).toBe("in");
});
