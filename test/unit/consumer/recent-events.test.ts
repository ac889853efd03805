import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RECENT_SECONDS, RecentEvents } from "../../../src/consumer/fold/recent-events.ts";

test("remembers exactly the last so many of the last ten minutes, whatever collides, also through a copy", () => {
  // Few low lanes, all of which fall into few slots of the index: long runs, and holes in their middle.
  const hash = fc.record({ lo: fc.constantFrom(0, 1, 2, 2_048, 2_049, 4_096), hi: fc.nat(3) });
  const steps = fc.array(fc.record({ hash, passed: fc.constantFrom(0, 0, 0, 1, 200), copies: fc.boolean() }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 12 }), (log, limit) => {
      let recent = new RecentEvents(limit);
      let model: { key: string; second: number }[] = [];
      let second = 1_000;
      for (const { hash: each, passed, copies } of log) {
        second += passed;
        const key = `${each.lo} ${each.hi}`;
        const until = second;
        model = model.filter((known) => known.second + RECENT_SECONDS > until);
        const isNew = !model.some((known) => known.key === key);
        expect(recent.remember(each.lo, each.hi, second)).toBe(isNew);
        model = isNew ? [...model, { key, second }].slice(-limit) : model;
        expect(recent.size).toBe(model.length);
        recent = copies ? RecentEvents.from(recent.entries(), limit) : recent;
      }
    }),
    { numRuns: 500 },
  );
});

test("grows to a million, and forgets the oldest beyond", () => {
  const recent = new RecentEvents();
  for (let i = 0; i < 1_000_001; i++) {
    recent.remember(Math.imul(i, 0x9e3779b1) >>> 0, i, 1);
  }
  expect(recent.size).toBe(1_000_000);
  expect(recent.remember(0x9e3779b1, 1, 1)).toBe(false);
  expect(recent.remember(0, 0, 1)).toBe(true);
});
