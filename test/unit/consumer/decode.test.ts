import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { decodeEngagement, readEngagementEvent } from "../../../src/consumer/decode/decode-engagement.ts";
import { decodeRare } from "../../../src/consumer/decode/decode-rare.ts";
import { parseIsoInstant } from "../../../src/consumer/decode/iso-instant.ts";
import { MAX_VALUE_CHARS, Rejected, Skipped } from "../../../src/consumer/decode/rejection.ts";
import { deviceSchema, engagementEventSchema, engagementTypes } from "../../../src/contract/events.ts";

const record = (value: unknown) => ({
  offset: 7,
  timestamp: 1,
  key: "crt_1",
  value: typeof value === "string" ? value : JSON.stringify(value),
});

const valid = {
  eventId: "e1",
  type: "view.started",
  contentId: "cnt_1",
  creatorId: "crt_1",
  sessionId: "s1",
  occurredAt: "2026-11-22T20:05:11.120Z",
};

const two = (part: number) => String(part).padStart(2, "0");

/** Instants, nearly instants, and anything. */
const instants = fc.oneof(
  fc.date({ min: new Date(0), noInvalidDate: true }).map((date) => date.toISOString()),
  fc
    .record({
      year: fc.integer({ min: 0, max: 9_999 }),
      month: fc.integer({ min: 0, max: 13 }),
      day: fc.integer({ min: 0, max: 32 }),
      hour: fc.integer({ min: 0, max: 25 }),
      minute: fc.integer({ min: 0, max: 61 }),
      second: fc.integer({ min: 0, max: 61 }),
      fraction: fc.constantFrom("", ".", ".1", ".12", ".999", ".123456789", ",5"),
      zone: fc.constantFrom("Z", "z", "", "+01:00", "-23:59", "+24:00", "+0100", "-00:00", "+01", "Z ", "+01:000"),
    })
    .map(({ year, month, day, hour, minute, second, fraction, zone }) => {
      const date = `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
      return `${date}T${two(hour)}:${two(minute)}:${two(second)}${fraction}${zone}`;
    }),
  fc.string({ maxLength: 30 }),
);

test("an instant is read exactly when zod accepts it, as the instant that Date makes of it", () => {
  const schema = z.iso.datetime({ offset: true });
  fc.assert(
    fc.property(instants, (text) => {
      const isValid = schema.safeParse(text).success;
      expect(parseIsoInstant(text)).toEqual(isValid ? Date.parse(text) : NaN);
    }),
    { numRuns: 20_000 },
  );
});

test("leap days are days of leap years only", () => {
  expect(parseIsoInstant("2024-02-29T00:00:00Z")).toBe(Date.UTC(2024, 1, 29));
  expect(parseIsoInstant("2000-02-29T00:00:00Z")).toBe(Date.UTC(2000, 1, 29));
  expect(parseIsoInstant("1900-02-29T00:00:00Z")).toBeNaN();
  expect(parseIsoInstant("2026-02-29T00:00:00Z")).toBeNaN();
});

const maybe = (arbitrary: fc.Arbitrary<unknown>) => fc.option(arbitrary, { nil: undefined });

/** What the schema makes of a parsed value, in the form in which the hand-written checks give it. */
function bySchema(parsed: unknown) {
  const { data } = engagementEventSchema.safeParse(parsed);
  if (data === undefined) {
    return undefined;
  }
  const { country: _country, device: _device, occurredAt, watchSeconds, isLive, ...rest } = data;
  return {
    ...rest,
    occurredAt: Date.parse(occurredAt),
    watchSeconds: watchSeconds ?? 0,
    isLive: isLive ?? false,
  };
}

describe("the hand-written checks", () => {
  const ids = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_.:-]{1,4}$/),
    fc.constantFrom("", "a b", "ä", "a".repeat(129), 7, null),
  );
  const foreignIds = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("x".repeat(256), "x".repeat(257), 1, null));
  const objects = fc.record({
    eventId: foreignIds,
    type: fc.oneof(fc.constantFrom<unknown>(...engagementTypes), fc.constantFrom("view.paused", 1, null)),
    contentId: ids,
    creatorId: ids,
    sessionId: foreignIds,
    occurredAt: fc.oneof({ weight: 3, arbitrary: fc.constant("2026-11-22T20:05:11Z") }, instants, fc.constant(5)),
    watchSeconds: maybe(fc.oneof(fc.double(), fc.constantFrom(0, -1, 15, 86_400, 86_401, "15", null))),
    country: maybe(fc.constantFrom("NG", "ng", "NGA", "", 1, null)),
    device: maybe(fc.constantFrom<unknown>(...deviceSchema.options, "watch", null)),
    isLive: maybe(fc.constantFrom(true, false, "true", 1, null)),
  });
  /** Mostly valid, with some members wrong or missing. */
  const nearlyValid = fc
    .tuple(objects, fc.subarray([...Object.keys(valid), "watchSeconds", "country", "device", "isLive"]))
    .map(([changes, changed]) => ({
      ...valid,
      ...Object.fromEntries(Object.entries(changes).filter(([name]) => changed.includes(name))),
    }));

  test("accept exactly what the schema accepts, and read the same", () => {
    fc.assert(
      fc.property(fc.oneof(nearlyValid, objects, fc.object()), (object) => {
        // Through JSON, as records come.
        const parsed = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
        expect(readEngagementEvent(parsed)).toEqual(bySchema(parsed));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("a record that holds no event", () => {
  test.each([
    ["", "not_json"],
    ["no json", "not_json"],
    ["[]", "not_an_event"],
    ["null", "not_an_event"],
    ["7", "not_an_event"],
    ["{}", "invalid_field"],
    [JSON.stringify({ ...valid, type: 7 }), "invalid_field"],
    [JSON.stringify({ ...valid, creatorId: "" }), "invalid_field"],
    [JSON.stringify({ reason: "too_large", detail: "a forged refusal" }), "invalid_field"],
    ["x".repeat(MAX_VALUE_CHARS + 1), "too_large"],
  ])("is refused with its reason: %.40s", (value, reason) => {
    const decoded = decodeEngagement(record(value));
    expect(decoded).toBeInstanceOf(Rejected);
    expect(decoded).toMatchObject({ reason });
  });

  test("is explained without its value", () => {
    expect(decodeEngagement(record({ ...valid, creatorId: "a secret" }))).toMatchObject({
      detail: expect.stringMatching(/^creatorId: (?!.*secret)/) as unknown,
    });
  });
});

test("an unknown type is skipped by name, whatever else it holds", () => {
  expect(decodeEngagement(record({ type: "view.paused" }))).toEqual(new Skipped("view.paused"));
});

test("unknown fields are ignored", () => {
  expect(decodeEngagement(record({ ...valid, mood: "good", __proto__: 1 }))).toMatchObject({ eventId: "e1" });
});

describe("rare events", () => {
  const now = Date.parse("2026-11-22T20:00:00Z");
  const payment = {
    eventId: "e1",
    paymentId: "pay_1",
    creatorId: "crt_1",
    kind: "ad",
    amountMinor: 120_000,
    currency: "NGN",
    occurredAt: "2026-11-22T19:00:00Z",
  };

  test("carry their offset, and money as a string", () => {
    expect(decodeRare("payment", record(payment), now)).toEqual({
      kind: "payment",
      offset: 7,
      broadcast: true,
      event: { ...payment, amountMinor: "120000" },
    });
  });

  test("older than a day are stored, not announced", () => {
    const old = { ...payment, occurredAt: "2026-11-21T19:59:59Z" };
    expect(decodeRare("payment", record(old), now)).toMatchObject({ broadcast: false });
  });

  test("that do not fit their topic are refused", () => {
    expect(decodeRare("moderation", record(payment), now)).toBeInstanceOf(Rejected);
    expect(decodeRare("subscription", record("{"), now)).toMatchObject({ reason: "not_json" });
  });
});
