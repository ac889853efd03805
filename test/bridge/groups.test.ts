// Consumer groups behind the bridge where something goes wrong: rebalances, a Kafka that hangs, callers that go away.
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openEmbeddedLog } from "../../src/bridge/embedded-log.ts";
import type { EmbeddedLog } from "../../src/bridge/embedded-log.ts";
import { BridgeError, logUnavailable } from "../../src/bridge/errors.ts";
import type { GroupMember, Log } from "../../src/bridge/log.ts";
import { startBridge } from "../../src/bridge/server.ts";
import type { Bridge, BridgeOptions } from "../../src/bridge/server.ts";
import { restClient } from "./rest-client.ts";
import type { Message, RestAnswer, RestClient } from "./rest-client.ts";
import { waitUntil } from "./wait-until.ts";

const login = { username: "groups", password: "groups-password" };
const headers = { "Kafka-Auto-Offset-Reset": "earliest", "Kafka-Auto-Commit-Interval": "0" };
let folder = "";
let log: EmbeddedLog;
let bridges: Bridge[] = [];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "bridge-groups-"));
  log = await openEmbeddedLog({ folder });
  await log.createTopic("t", 1);
  await log.createTopic("two", 2);
});

afterEach(async () => {
  await Promise.all(bridges.map((each) => each.close()));
  bridges = [];
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<BridgeOptions> = {}): Promise<RestClient> {
  const bridge = await startBridge({ log, port: 0, credentials: [login], ...options });
  bridges.push(bridge);
  return restClient(bridge.url, `${login.username}:${login.password}`);
}

/** The log, with some of its methods replaced. */
function logWith(changed: Partial<Log>): Log {
  return new Proxy<Log>(log, {
    get: (target, name) => {
      const part: unknown = Reflect.get(changed, name) ?? Reflect.get(target, name);
      return typeof part === "function" ? (part.bind(target) as unknown) : part;
    },
  });
}

/** The log with members of groups that commit otherwise. */
function committing(commit: (member: GroupMember) => GroupMember["commit"]): Log {
  return logWith({
    join: async (options, deadline) => {
      const member = await log.join(options, deadline);
      return { ...member, commit: commit(member) };
    },
  });
}

const produce = (rest: RestClient, topic: string, partition: number, ...values: string[]) =>
  rest.post(
    `/produce/${topic}`,
    values.map((value) => ({ partition, value })),
  );
const consume = (rest: RestClient, instance: string, topic: string, timeout = 100) =>
  rest.post(`/consume/${instance}`, { topic, timeout }, { headers });
const valuesOf = (answer: RestAnswer) => answer.json<Message[]>().map(({ value }) => value);
const committed = async (rest: RestClient, group: string, topic: string, partition: number) =>
  (await rest.post(`/committed/${group}/any`, { topic, partition })).json<{ offset: number }[]>()[0]?.offset;

/** Answers of a Kafka that hangs: nothing until the deadline. */
const hang = (deadline: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    deadline.addEventListener("abort", () => reject(logUnavailable()));
  });

test("a partition that was lost and came back is read on from where it was committed meanwhile", async () => {
  const rest = await start();
  await produce(rest, "two", 1, "0");
  await consume(rest, "g/a", "two");
  await consume(rest, "g/b", "two");
  await produce(rest, "two", 1, "1", "2");
  await consume(rest, "g/b", "two");
  await rest.post("/delete-consumer/g/b");
  await produce(rest, "two", 1, "3");
  expect(valuesOf(await consume(rest, "g/a", "two"))).toEqual(["3"]);
  await rest.post("/commit/g/a");
  expect(await committed(rest, "g", "two", 1)).toBe(4);
});

test("what was consumed and not committed is kept over a rebalance that leaves the partition", async () => {
  const rest = await start();
  await produce(rest, "two", 0, "0", "1");
  await consume(rest, "g/a", "two");
  await consume(rest, "g/b", "two");
  expect(valuesOf(await consume(rest, "g/a", "two"))).toEqual([]);
  expect(await committed(rest, "g", "two", 0)).toBe(2);
});

test("committing what was consumed says that some of it is no longer the instance's, and commits the rest", async () => {
  const rest = await start();
  await produce(rest, "two", 0, "0");
  await produce(rest, "two", 1, "0");
  const given: string[] = [];
  while (given.length < 2) {
    given.push(...valuesOf(await consume(rest, "g/a", "two")));
  }
  await consume(rest, "g/b", "two", 0);

  const first = await rest.post("/commit/g/a");
  const again = await rest.post("/commit/g/a");

  expect([first.status, first.json(), again.status]).toMatchObject([409, { result: "Error", status: 409 }, 200]);
  const stored = await Promise.all([0, 1].map((partition) => committed(rest, "g", "two", partition)));
  expect(new Set(stored)).toEqual(new Set([-1, 1]));
});

test("an instance whose place another process took hears of it once, and then joins anew", async () => {
  const [here, there] = [await start(), await start()];
  await produce(here, "t", 0, "0");
  await consume(here, "g/one", "t");
  await consume(there, "g/one", "t");
  const refused = await consume(here, "g/one", "t");
  expect([refused.status, refused.json()]).toMatchObject([409, { result: "Error", status: 409 }]);
  await produce(here, "t", 0, "1");
  expect(valuesOf(await consume(here, "g/one", "t"))).toContain("1");
});

test("a commit that Kafka refuses leaves nothing behind: the next call begins where the group is", async () => {
  let isRefusing = true;
  const refusing = committing((member) => async (offsets, deadline) => {
    if (isRefusing) {
      throw new BridgeError(409, "Conflict: the group has other members now");
    }
    return member.commit(offsets, deadline);
  });
  const rest = await start({ log: refusing });
  await produce(rest, "t", 0, "0");
  await consume(rest, "g/one", "t");
  expect((await consume(rest, "g/one", "t")).status).toBe(409);
  isRefusing = false;
  expect(valuesOf(await consume(rest, "g/one", "t"))).toEqual(["0"]);
});

test("a Kafka that hangs is a 503 within the call's timeout, and does not keep the bridge from closing", async () => {
  const hung = committing(() => (_offsets, deadline) => hang(deadline));
  const rest = await start({ log: hung, drainMs: 500 });
  await produce(rest, "t", 0, "0");
  await consume(rest, "g/one", "t");
  for (const answer of [
    await consume(rest, "g/one", "t", 1_000),
    await rest.post("/commit/g/one?timeout=1000"),
    await rest.post("/commit/g/one?timeout=0", { topic: "t", partition: 0, offset: 0 }),
    await rest.post("/delete-consumer/g/one?timeout=1000"),
  ]) {
    expect(answer.json()).toEqual({ result: "Error", error: "Kafka is unavailable", status: 503 });
    expect(answer.ms).toBeLessThan(1_500);
  }
  await consume(rest, "g/another", "t");
  const started = performance.now();
  await bridges.shift()?.close();
  expect(performance.now() - started).toBeLessThan(1_500);
});

test("calls behind one that hangs are not done late", async () => {
  const commits: number[] = [];
  const released = Promise.withResolvers<undefined>();
  const slow = committing((member) => async (offsets, deadline) => {
    await released.promise;
    commits.push(offsets[0]?.offset ?? -1);
    return member.commit(offsets, deadline);
  });
  const rest = await start({ log: slow });
  await consume(rest, "g/one", "t");
  const calls = [3, 2].map((offset) => rest.post("/commit/g/one?timeout=1000", { topic: "t", partition: 0, offset }));
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([503, 503]);
  released.resolve(undefined);
  await waitUntil("the first was done", async () => commits.length > 0);
  expect((await rest.post("/commit/g/one", { topic: "t", partition: 0, offset: 4 })).status).toBe(200);
  expect(commits).toEqual([3, 4]);
});

test("joining takes its time: the calls meanwhile are told to come again, and one of them gets the instance", async () => {
  const joining = Promise.withResolvers<undefined>();
  const late = logWith({
    join: async (options, deadline) => {
      await joining.promise;
      return log.join(options, deadline);
    },
  });
  const rest = await start({ log: late });
  await produce(rest, "t", 0, "0");
  expect((await consume(rest, "g/one", "t")).status).toBe(503);
  joining.resolve(undefined);
  expect(valuesOf(await consume(rest, "g/one", "t"))).toEqual(["0"]);
});

test("a consume that waits for its turn takes no poll, and moves nothing once its caller has gone", async () => {
  const rest = await start({ limits: { maxPolls: 2 } });
  await consume(rest, "g/one", "t");
  const leaving = new AbortController();
  const first = consume(rest, "g/one", "t", 1_500);
  await waitUntil("it polls", async () => (await rest.get("/metrics")).text.includes("bridge_polls_in_flight 1"));
  const body = { topic: "t", timeout: 1_500 };
  const gone = rest.post("/consume/g/one", body, { headers, signal: leaving.signal }).catch(() => "gone");
  const queued = consume(rest, "g/one", "t", 1_500);
  expect((await rest.post("/fetch", { topic: "t", partition: 0, offset: 0, timeout: 0 })).status).toBe(200);
  leaving.abort();
  expect(await gone).toBe("gone");
  await produce(rest, "t", 0, "0");
  expect(valuesOf(await first)).toEqual(["0"]);
  await produce(rest, "t", 0, "1");
  expect(valuesOf(await queued)).toEqual(["1"]);
});

test("a consume whose turn does not come in its time answers nothing, and moves nothing later", async () => {
  const rest = await start();
  await consume(rest, "g/one", "t");
  const long = consume(rest, "g/one", "t", 2_500);
  await waitUntil("it polls", async () => (await rest.get("/metrics")).text.includes("bridge_polls_in_flight 1"));
  const short = await consume(rest, "g/one", "t", 1_000);
  expect([short.text, short.ms < 1_500]).toEqual(["[]", true]);
  await produce(rest, "t", 0, "0");
  expect(valuesOf(await long)).toEqual(["0"]);
  await produce(rest, "t", 0, "1");
  expect(valuesOf(await consume(rest, "g/one", "t"))).toEqual(["1"]);
});

test("positions end with their topic: one created again under the name is read as the instance was told to", async () => {
  const rest = await start();
  await produce(rest, "t", 0, "old 0", "old 1");
  await consume(rest, "g/one", "t");
  await log.deleteTopic("t");
  await log.createTopic("t", 1);
  await produce(rest, "t", 0, "new 0", "new 1", "new 2");
  expect(valuesOf(await consume(rest, "g/one", "t", 1_000))).toEqual(["new 0", "new 1", "new 2"]);
});

test("an instance whose session passes while it polls is in use, not idle", async () => {
  let now = 1_000_000;
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const rest = await start({ clock: { now: () => now } });
    await consume(rest, "g/one", "t");
    const polling = consume(rest, "g/one", "t", 2_000);
    await waitUntil("it polls", async () => (await rest.get("/metrics")).text.includes("bridge_polls_in_flight 1"));
    now += 120_001;
    vi.advanceTimersByTime(6_000);
    await produce(rest, "t", 0, "0");
    expect(valuesOf(await polling)).toEqual(["0"]);
    expect((await rest.post("/commit/g/one")).status).toBe(200);
  } finally {
    vi.useRealTimers();
  }
});
