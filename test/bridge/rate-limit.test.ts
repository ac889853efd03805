// The limit of failed logins by itself: what it remembers.
import { expect, test } from "vitest";
import type { Caller } from "../../src/bridge/credentials.ts";
import { createLoginLimit } from "../../src/bridge/rate-limit.ts";

const claim = { username: "service", password: "a-password" };
const caller: Caller = { username: "service", mayUse: () => true, require: () => undefined };

test("only so many logins are remembered: those that failed longest ago are forgotten", () => {
  const limit = createLoginLimit({ now: () => 1_000_000 });
  const fail =
    (address: string, username = "service") =>
    () =>
      limit(address, { ...claim, username }, () => {
        throw new Error("wrong password");
      });
  for (let i = 0; i < 50; i++) {
    expect(fail("first")).toThrow("wrong password");
  }
  expect(fail("first")).toThrow("Too many failed logins");
  for (let i = 0; i < 10_000; i++) {
    expect(fail(`other ${i}`)).toThrow("wrong password");
  }
  expect(limit("first", claim, () => caller)).toBe(caller);
});

test("who guesses one name's password holds up no other name, and not that name elsewhere", () => {
  const limit = createLoginLimit({ now: () => 1_000_000 });
  for (let i = 0; i < 60; i++) {
    expect(() =>
      limit("here", claim, () => {
        throw new Error("wrong password");
      }),
    ).toThrow(/wrong password|Too many/);
  }
  expect(() => limit("here", claim, () => caller)).toThrow("Too many failed logins");
  expect(limit("here", { ...claim, username: "other" }, () => caller)).toBe(caller);
  expect(limit("elsewhere", claim, () => caller)).toBe(caller);
});
