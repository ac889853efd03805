// How the page writes numbers, money and times, and what it says about the live numbers' trustworthiness.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatClock,
  formatInstant,
  formatStep,
  formatStepInFull,
  formatZone,
} from "../../src/dashboard/format/instants.ts";
import { decimalOf, formatMoney } from "../../src/dashboard/format/money.ts";
import { formatDuration, formatShare } from "../../src/dashboard/format/numbers.ts";
import type { Connection } from "../../src/dashboard/live-client/connection.ts";
import { nothingKnown, type LiveNumbers } from "../../src/dashboard/live-client/live-numbers.ts";
import { standingOf } from "../../src/dashboard/live/standing.ts";

test.each([
  ["125000000", "NGN", "₦1,250,000.00"],
  ["9007199254740993", "NGN", "₦90,071,992,547,409.93"],
  ["-9223372036854775808", "USD", "-US$92,233,720,368,547,758.08"],
  ["5", "USD", "US$0.05"],
  ["-5", "NGN", "-₦0.05"],
  ["0", "USD", "US$0.00"],
  ["1234", "JPY", "JP¥1,234"],
] as const)("writes %s minor units of %s as %s, to the last unit", (minor, currency, written) => {
  expect(formatMoney(minor, currency)?.replaceAll("\u00a0", "")).toBe(written);
});

test("a currency whose decimal places are not known is not guessed", () => {
  expect(formatMoney("100", "XYZ")).toBeNull();
});

test("a decimal string holds every minor unit, whatever the places", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 19n) + 1n, max: 10n ** 19n - 1n }),
      fc.integer({ min: 0, max: 3 }),
      (minor, places) => {
        const decimal = decimalOf(String(minor), places);

        expect(decimal).toMatch(places === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${places}}$`));
        expect(BigInt(decimal.replace(".", ""))).toBe(minor);
      },
    ),
  );
});

test.each([
  [0, "0 s"],
  [59.6, "1 min"],
  [67.5, "1 min 8 s"],
  [3_600, "1 h"],
  [3_599.9, "1 h"],
  [301_000, "83 h 36 min"],
  [8_123_456, "2,256 h"],
])("writes %d seconds as %s", (seconds, written) => {
  expect(formatDuration(seconds)).toBe(written);
});

test("a share is written in per cent with one decimal", () => {
  expect(formatShare(0.4312)).toBe("43.1%");
});

test("instants are shown on the clock of the zone, with the day unless it is today there", () => {
  const instant = "2026-11-22T23:30:00Z";

  expect(formatClock(instant, "Africa/Lagos")).toBe("00:30:00");
  expect(formatInstant(instant, "Africa/Lagos", Date.parse("2026-11-23T10:00:00Z"))).toBe("00:30");
  expect(formatInstant(instant, "UTC", Date.parse("2026-11-23T10:00:00Z"))).toBe("22 Nov, 23:30");
});

test("a zone is shown with its offset at that moment, over a change of the clocks", () => {
  expect(formatZone("Africa/Lagos", 0)).toBe("Africa/Lagos (GMT+1)");
  expect(formatZone("America/New_York", Date.parse("2026-07-01T00:00:00Z"))).toBe("America/New York (GMT-4)");
  expect(formatZone("America/New_York", Date.parse("2026-12-01T00:00:00Z"))).toBe("America/New York (GMT-5)");
});

test("a step is named by its own width", () => {
  const start = "2026-11-16T00:00:00+01:00";

  expect(formatStep(start, "hour", "Africa/Lagos")).toBe("00:00");
  expect(formatStep(start, "day", "Africa/Lagos")).toBe("16 Nov");
  expect(formatStepInFull(start, "day", "Africa/Lagos")).toBe("Mon, 16 Nov");
  expect(formatStepInFull(start, "week", "Africa/Lagos")).toBe("Week of 16 Nov 2026");
  expect(formatStepInFull(start, "month", "Africa/Lagos")).toBe("November 2026");
});

function standing(connection: Connection, numbers: Partial<LiveNumbers> = {}) {
  return standingOf({ connection, numbers: { ...nothingKnown, ...numbers }, liveWindowSeconds: null }).kind;
}

test("the standing joins what the connection and the service say", () => {
  const open: Connection = { phase: "open", since: 0 };
  const waiting: Connection = { phase: "waiting", cause: "dropped", failures: 1, retryAt: 0 };

  expect(standing({ phase: "connecting", failures: 0 })).toBe("connecting");
  expect(standing(waiting)).toBe("connecting");
  expect(standing(waiting, { epoch: "h_1", state: "live" })).toBe("reconnecting");
  expect(standing(open, { state: "unavailable", reason: "starting" })).toBe("starting");
  expect(standing(open, { state: "unavailable", reason: "source_stopped" })).toBe("unavailable");
  expect(standing(open, { state: "stale", reason: "reader_behind" })).toBe("stale");
  expect(standing(open, { state: "live", reason: null })).toBe("live");
  expect(standing({ phase: "stopped", cause: "forbidden" }, { epoch: "h_1", state: "live" })).toBe("stopped");
});
