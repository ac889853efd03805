import { expect, test } from "vitest";
import { CircuitBreaker } from "../../src/store/clickhouse/circuit-breaker.ts";

function openBreaker(startMs = 1_000_000) {
  const clock = { nowMs: startMs, now: () => clock.nowMs };
  const breaker = new CircuitBreaker(clock);
  breaker.failed();
  breaker.failed();
  breaker.failed();
  return { breaker, clock };
}

test("two failures in a row do not open it, three do", () => {
  const breaker = new CircuitBreaker({ now: () => 1_000_000 });
  breaker.failed();
  breaker.failed();

  expect(breaker.allows()).toBe(true);
  breaker.failed();
  expect(breaker.allows()).toBe(false);
});

test("failures with a success between them do not add up", () => {
  const breaker = new CircuitBreaker({ now: () => 1_000_000 });
  breaker.failed();
  breaker.failed();
  breaker.succeeded();
  breaker.failed();
  breaker.failed();

  expect(breaker.allows()).toBe(true);
});

test("after a second one request may try, and only one", () => {
  const { breaker, clock } = openBreaker();
  clock.nowMs += 999;
  expect(breaker.allows()).toBe(false);

  clock.nowMs += 1;

  expect([breaker.allows(), breaker.allows(), breaker.allows()]).toEqual([true, false, false]);
});

test("a probe that succeeds closes it", () => {
  const { breaker, clock } = openBreaker();
  clock.nowMs += 1_000;
  breaker.allows();
  breaker.succeeded();

  expect([breaker.allows(), breaker.allows()]).toEqual([true, true]);
});

test("each probe that fails doubles the pause, up to four seconds", () => {
  const { breaker, clock } = openBreaker();
  const pauses = [1_000, 2_000, 4_000, 4_000].map((pauseMs) => {
    clock.nowMs += pauseMs - 1;
    const early = breaker.allows();
    clock.nowMs += 1;
    const due = breaker.allows();
    breaker.failed();
    return { early, due };
  });

  expect(pauses).toEqual(Array.from({ length: 4 }, () => ({ early: false, due: true })));
});

test("a probe that never comes back does not keep it open for ever", () => {
  const { breaker, clock } = openBreaker();
  clock.nowMs += 1_000;
  breaker.allows();
  clock.nowMs += 2_999;
  expect(breaker.allows()).toBe(false);

  clock.nowMs += 1;

  expect(breaker.allows()).toBe(true);
});
