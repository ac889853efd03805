import { describe, expect, it } from "vitest";
import {
  engagementEventSchema,
  moderationEventSchema,
  paymentEventSchema,
  subscriptionEventSchema,
} from "../../src/contract/events.ts";
import { Playback, type TrafficEvent } from "../../src/local/traffic/playback.ts";
import type { Repertoire } from "../../src/local/traffic/repertoire.ts";

const START = Date.parse("2026-11-20T10:00:00Z");
const MINUTE = 60_000;

function creator(creatorId: string, popularity: number) {
  return {
    creatorId,
    popularity,
    subscribers: 1000,
    items: [
      { contentId: `${creatorId}_live`, kind: "live" as const, durationSeconds: 1800 },
      { contentId: `${creatorId}_video`, kind: "video" as const, durationSeconds: 120 },
    ],
  };
}

const repertoire: Repertoire = {
  demo: creator("crt_demo", 5),
  others: ["crt_a", "crt_b", "crt_c", "crt_d", "crt_e"].map((id, rank) => creator(id, 5 - rank)),
};

function play(options: { seed?: number; minutes: number; rate?: number; tickMs?: number; startAt?: number }) {
  const startAt = options.startAt ?? START;
  const counts = new Map<string, number>();
  const playback = new Playback({
    repertoire,
    seed: options.seed ?? 1,
    startAt,
    rate: options.rate ?? 20,
    counts: {
      change: (creatorId, by) => {
        counts.set(creatorId, (counts.get(creatorId) ?? 1000) + by);
        return counts.get(creatorId) ?? null;
      },
    },
  });
  const events: TrafficEvent[] = [];
  const end = startAt + options.minutes * MINUTE;
  for (let now = startAt; now < end; now += options.tickMs ?? 250) {
    events.push(...playback.advance(now));
  }
  return { events, playback, end };
}

const engagement = (events: readonly TrafficEvent[]) =>
  events.filter((event) => event.kind === "engagement").map((event) => engagementEventSchema.parse(event.value));

const schemas = {
  engagement: engagementEventSchema,
  subscription: subscriptionEventSchema,
  payment: paymentEventSchema,
  moderation: moderationEventSchema,
};

describe("the traffic as a function of seed and time", () => {
  it("plays the same events for the same seed and others for another", () => {
    expect(play({ minutes: 3 }).events).toEqual(play({ minutes: 3 }).events);
    expect(play({ minutes: 3, seed: 2 }).events).not.toEqual(play({ minutes: 3 }).events);
  });

  it("makes only events that fit the contract, keyed by their creator, each with an id of its own", () => {
    const { events } = play({ minutes: 30 });
    for (const event of events) {
      const parsed = schemas[event.kind].parse(event.value);
      expect(parsed.creatorId).toBe(event.key);
      expect(Date.parse(parsed.occurredAt)).toBe(event.at);
    }
    expect(new Set(events.map((event) => event.value["eventId"])).size).toBe(events.length);
    expect(new Set(events.map((event) => event.kind))).toEqual(new Set(Object.keys(schemas)));
  });

  it("repeats no id of an earlier run with the same seed", () => {
    const first = new Set(play({ minutes: 2 }).events.map((event) => event.value["eventId"]));
    const later = play({ minutes: 2, startAt: START + 10 * MINUTE }).events;
    expect(later.filter((event) => first.has(event.value["eventId"]))).toEqual([]);
  });

  it("keeps about the asked rate once the audience is there", () => {
    const { events } = play({ minutes: 25, rate: 40 });
    const settled = events.filter((event) => event.at > START + 10 * MINUTE);
    const perSecond = settled.length / (15 * 60);
    expect(perSecond).toBeGreaterThan(40 * 0.7);
    expect(perSecond).toBeLessThan(40 * 1.3);
  });

  it("beats every 15 s between a session's start and its end, and accounts for every second watched", () => {
    const { events } = play({ minutes: 20 });
    const sessions = Map.groupBy(engagement(events), (event) => event.sessionId);
    const finished = [...sessions.values()].filter((acts) => acts.at(-1)?.type === "view.ended");
    expect(finished.length).toBeGreaterThan(100);
    for (const acts of finished) {
      const times = (type: string) => acts.filter((act) => act.type === type).map((act) => Date.parse(act.occurredAt));
      const [startedAt = Number.NaN] = times("view.started");
      const [endedAt = Number.NaN] = times("view.ended");
      expect(times("view.started")).toHaveLength(1);
      expect(times("view.heartbeat")).toEqual(times("view.heartbeat").map((_, i) => startedAt + (i + 1) * 15_000));
      const watched = acts.reduce((sum, act) => sum + (act.watchSeconds ?? 0), 0);
      expect(watched).toBe(Math.floor((endedAt - startedAt) / 1000));
    }
  });

  it("always has something live for the demo creator, without a gap that a viewer's beat does not bridge", () => {
    const { events, end } = play({ minutes: 120, tickMs: 1000 });
    const beats = engagement(events)
      .filter((event) => event.creatorId === "crt_demo" && event.isLive === true)
      .map((event) => Date.parse(event.occurredAt));
    const gaps = [START, ...beats, end].map((at, i, all) => at - (all[i - 1] ?? at));
    expect(Math.max(...gaps)).toBeLessThan(30_000);
  });

  it("puts Nigeria and mobile first", () => {
    const started = engagement(play({ minutes: 20 }).events).filter((event) => event.type === "view.started");
    const share = (of: (event: (typeof started)[number]) => boolean) => started.filter(of).length / started.length;
    expect(share((event) => event.country === "NG")).toBeGreaterThan(0.5);
    expect(share((event) => event.device === "mobile")).toBeGreaterThan(0.7);
  });

  it("counts subscribers up and down from where the owner's count stood", () => {
    const changes = play({ minutes: 30 })
      .events.filter((event) => event.kind === "subscription" && event.key === "crt_demo")
      .map((event) => subscriptionEventSchema.parse(event.value));
    expect(changes.length).toBeGreaterThan(20);
    let count = 1000;
    for (const change of changes) {
      count += change.change === "subscribed" ? 1 : -1;
      expect(change.subscriberCount).toBe(count);
    }
  });

  it("ends every running session when it finishes, and none twice", () => {
    const { events, playback, end } = play({ minutes: 5 });
    const running = playback.sessions;
    expect(running).toBeGreaterThan(20);
    const all = engagement([...events, ...playback.finish(end)]);
    const ended = all.filter((event) => event.type === "view.ended").map((event) => event.sessionId);
    const started = all.filter((event) => event.type === "view.started").map((event) => event.sessionId);
    expect(ended.toSorted()).toEqual(started.toSorted());
    expect(playback.sessions).toBe(0);
  });

  it("forgets its sessions after a long silence instead of playing the missed time at once", () => {
    const { playback, end } = play({ minutes: 5 });
    expect(playback.advance(end + 10 * MINUTE)).toEqual([]);
    expect(playback.sessions).toBe(0);
    expect(playback.advance(end + 11 * MINUTE).length).toBeGreaterThan(0);
  });
});
