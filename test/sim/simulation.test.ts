import { describe, expect, it } from "vitest";
import { Reference } from "./reference.ts";
import { simulate } from "./simulation.ts";

const START = Date.parse("2026-11-20T10:00:00Z");

async function traceOf(seed: number, steps = 120): Promise<string[]> {
  const lines: string[] = [];
  const outcome = await simulate(seed, steps, (line) => lines.push(line));
  return [...lines, JSON.stringify(outcome)];
}

function count(events: readonly [second: number, fields: Record<string, unknown>][], atSecond: number) {
  const reference = new Reference();
  for (const [at, [second, fields]] of events.entries()) {
    const timestamp = START + second * 1_000;
    const event = { eventId: `e${at}`, creatorId: "c", contentId: "i", sessionId: "s", ...fields };
    const occurredAt = new Date(timestamp).toISOString();
    reference.add({ timestamp, value: JSON.stringify({ occurredAt, ...event }) });
  }
  return reference
    .countAt(START + atSecond * 1_000)
    .get("c")
    ?.get("i");
}

describe("the simulation", () => {
  it("is fixed by its seed", async () => {
    expect(await traceOf(11)).toEqual(await traceOf(11));
    expect(await traceOf(12)).not.toEqual(await traceOf(11));
  });

  it("reaches every kind of fault within a hundred seeds", async () => {
    const missing = new Set([
      "crashes",
      "is evicted",
      "stalls",
      "a clock is",
      "bridge is down",
      "no object can be called",
      "retention",
      "is recreated",
      "gets a partition",
      "loses its disk",
      "minutes pass",
      "days pass",
      "rest",
    ]);
    for (let seed = 1; missing.size > 0 && seed <= 100; seed++) {
      const text = (await traceOf(seed, 500)).join("\n");
      [...missing].filter((what) => text.includes(what)).forEach((what) => missing.delete(what));
    }
    expect([...missing]).toEqual([]);
  });
});

describe("the reference count", () => {
  it("counts a started view, its watching and its likes", () => {
    const counted = count(
      [
        [0, { type: "view.started" }],
        [15, { type: "view.heartbeat", watchSeconds: 15 }],
        [30, { type: "view.heartbeat", watchSeconds: 900 }],
        [31, { type: "like.added" }],
        [40, { type: "view.completed" }],
      ],
      45,
    );
    expect(counted).toMatchObject({ views: 1, watchSeconds: 75, likes: 1, completions: 1, liveViewers: 1 });
  });

  it("lets a session count for 45 seconds after its last beat, and not after its end", () => {
    const watched: [number, Record<string, unknown>][] = [[0, { type: "view.started" }]];
    expect(count(watched, 44.999)).toMatchObject({ liveViewers: 1 });
    expect(count(watched, 45)).toMatchObject({ liveViewers: 0 });
    expect(count([...watched, [5, { type: "view.ended" }]], 6)).toMatchObject({ liveViewers: 0, peakViewers: 1 });
  });

  it("knows a repeat by its event id, and a beat by its session's clock", () => {
    const counted = count(
      [
        [0, { type: "like.added", eventId: "same" }],
        [300, { type: "like.added", eventId: "same" }],
        [301, { type: "view.heartbeat", watchSeconds: 5, occurredAt: "2026-11-20T12:00:00Z" }],
        [302, { type: "view.heartbeat", watchSeconds: 5, occurredAt: "2026-11-20T12:00:00Z" }],
      ],
      303,
    );
    expect(counted).toMatchObject({ likes: 1, watchSeconds: 5 });
  });
});
