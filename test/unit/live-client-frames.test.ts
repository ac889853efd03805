// The page's own reading of frames accepts and gives exactly what the service's schemas do.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { serverFrameSchema } from "../../src/contract/live-frames.ts";
import { readFrame } from "../../src/dashboard/live-client/frames.ts";
import { frame } from "./live-client-arbitraries.ts";

/** Undefined when refused. */
function read(message: unknown): unknown {
  try {
    return readFrame(message);
  } catch {
    return undefined;
  }
}

function expectSameReading(message: unknown): void {
  expect(read(message)).toEqual(serverFrameSchema.safeParse(message).data);
}

/** Every place in a JSON value, as a path of keys. */
function placesOf(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...placesOf(inner).map((path) => [key, ...path])]);
}

function withChange(message: unknown, path: readonly string[], change: (holder: Record<string, unknown>) => void) {
  const copy: unknown = structuredClone(message);
  let holder = copy;
  for (const key of path) {
    holder = (holder as Record<string, unknown>)[key]; // the path was taken from this very value
  }
  change(holder as Record<string, unknown>); // the path leads to an object or a list
  return copy;
}

const oddValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    "",
    "x",
    -1,
    0,
    0.5,
    -0.5,
    2 ** 53,
    Number.POSITIVE_INFINITY,
    true,
    [],
    {},
    "2026-02-29T00:00:00Z",
  ),
  fc.constantFrom<unknown>("2026-02-28T23:59:59Z", "2024-02-29T10:00:00.5Z", "2026-11-31T10:00:00Z", "123", "ngn"),
  fc.constantFrom<unknown>("2026-11-22T20:05Z", "2026-11-22T20:05:00+01:00", "a b", "9".repeat(20), "live", "cnt_01"),
  fc.constantFrom<unknown>("2000-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "é".repeat(129)),
  fc.jsonValue(),
);

test("every frame the service may send is read as it was meant", () => {
  fc.assert(fc.property(frame, expectSameReading), { numRuns: 1_000 });
});

test("a frame with one value changed is refused or read exactly as the service's schema does", () => {
  const changed = fc
    .tuple(frame, fc.nat(), oddValue)
    .map(([message, place, value]) => {
      const places = placesOf(message);
      const path = places[place % places.length] ?? [];
      return withChange(message, path.slice(0, -1), (holder) => {
        holder[path.at(-1) ?? ""] = value;
      });
    })
    // Another type name is another matter: those are ignored, see below.
    .filter((message) => serverFrameSchema.options.some((option) => option.shape.type.value === typeOf(message)));

  fc.assert(fc.property(changed, expectSameReading), { numRuns: 5_000 });
});

test("a frame with one member missing is refused or read exactly as the service's schema does", () => {
  const shortened = fc.tuple(frame, fc.nat()).map(([message, place]) => {
    const places = placesOf(message).filter((path) => path.join() !== "type" && !/^\d+$/.test(path.at(-1) ?? ""));
    const path = places[place % places.length] ?? [];
    return withChange(message, path.slice(0, -1), (holder) => {
      delete holder[path.at(-1) ?? ""];
    });
  });

  fc.assert(fc.property(shortened, expectSameReading), { numRuns: 2_000 });
});

test("members that a later service adds are dropped", () => {
  fc.assert(
    fc.property(frame, fc.jsonValue(), (message, value) => {
      expect(read({ ...message, addedLater: value })).toEqual(serverFrameSchema.parse(message));
    }),
  );
});

test("a frame of a type this client does not know is told apart from a malformed one", () => {
  expect(read({ type: "goal.reached", epoch: "h_1", seq: 1 })).toBeNull();
  expect(read({ type: "toString" })).toBeNull();
  expect(read({ type: 7 })).toBeUndefined();
  expect(read("snapshot")).toBeUndefined();
  expect(read(null)).toBeUndefined();
});

function typeOf(message: unknown): unknown {
  return (message as { type?: unknown }).type; // always an object here
}
