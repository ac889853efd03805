// Cases of consumer groups: consume, commit, committed, consumers, delete-consumer.
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Bench } from "./conformance-parts.ts";
import type { Message } from "./rest-client.ts";
import { waitUntil } from "./wait-until.ts";

interface ListedGroup {
  name: string;
  instances: { name: string; topics: { topic: string; partitions: number[] }[] }[];
}

const success = { result: "Success", status: 200 };
const fromEarliest = { "Kafka-Auto-Offset-Reset": "earliest" };

const group = () => `group-${randomUUID()}`;
const valuesOf = (messages: { value: string }[]) => messages.map(({ value }) => value);

export function groupCases(bench: Bench): void {
  const fill = async (topic: string, count: number, partition = 0) => {
    const values = Array.from({ length: count }, (_, i) => ({ topic, partition, value: String(i) }));
    await bench.kafka.producer().produceMany(values);
  };
  const committed = async (name: string, topic: string, partition = 0) => {
    const answer = await bench.rest.post(`/committed/${name}/any`, { topic, partition });
    return answer.json<{ offset: number }[]>()[0]?.offset;
  };

  describe("consumer groups", () => {
    test("the stock client consumes from the earliest, commits what it consumed, and a new instance goes on there", async () => {
      const topic = await bench.topic();
      const consumerGroupId = group();
      await fill(topic, 3);
      const consumer = bench.kafka.consumer();
      const first = { consumerGroupId, instanceId: "first", topics: [topic], autoCommit: false };
      const messages = await consumer.consume({ ...first, autoOffsetReset: "earliest", timeout: 2_000 });
      expect(valuesOf(messages)).toEqual(["0", "1", "2"]);
      expect(await committed(consumerGroupId, topic)).toBe(-1);
      await consumer.commit({ consumerGroupId, instanceId: "first" });
      expect(
        await consumer.committed({ consumerGroupId, instanceId: "first", topicPartitions: [{ topic, partition: 0 }] }),
      ).toEqual([{ topic, partition: 0, offset: 3 }]);
      await bench.kafka.admin().removeConsumerInstance(consumerGroupId, "first");
      await fill(topic, 1);
      const second = { ...first, instanceId: "second", timeout: 2_000 };
      expect(await consumer.consume(second)).toMatchObject([{ offset: 3 }]);
    });

    test("an instance starts at the latest by default: what was there before is not given", async () => {
      const topic = await bench.topic();
      const path = `/consume/${group()}/one/${topic}`;
      await fill(topic, 2);
      expect((await bench.rest.get(`${path}?timeout=200`)).text).toBe("[]");
      await bench.kafka.producer().produce(topic, "later");
      const answer = await bench.rest.get(`${path}?timeout=3000`);
      expect(valuesOf(answer.json<Message[]>())).toEqual(["later"]);
    });

    test("a waiting consume answers as soon as one record exists", async () => {
      const topic = await bench.topic();
      const path = `/consume/${group()}/one`;
      await bench.rest.post(path, { topic, timeout: 0 });
      const waiting = bench.rest.post(path, { topics: [topic], timeout: 3_000 });
      await bench.kafka.producer().produce(topic, "here");
      const answer = await waiting;
      expect(answer).toMatchObject({ status: 200 });
      expect(valuesOf(answer.json<Message[]>())).toEqual(["here"]);
      expect(answer.ms).toBeLessThan(2_500);
    });

    test("with auto-commit the next call commits what the one before gave, and closing commits the rest", async () => {
      const topic = await bench.topic();
      const name = group();
      await fill(topic, 2);
      const headers = { ...fromEarliest, "Kafka-Auto-Commit-Interval": "0" };
      await bench.rest.post(`/consume/${name}/one`, { topic, timeout: 2_000 }, { headers });
      expect(await committed(name, topic)).toBe(-1);
      await fill(topic, 1);
      await bench.rest.post(`/consume/${name}/one`, { topic, timeout: 2_000 });
      expect(await committed(name, topic)).toBe(2);
      expect((await bench.rest.send("DELETE", `/delete-consumer/${name}/one`)).json()).toEqual(success);
      expect(await committed(name, topic)).toBe(3);
    });

    test("two instances share a topic's partitions, and the one that stays gets all of them", async () => {
      const topic = await bench.topic(4);
      const name = group();
      const consume = (instance: string) =>
        bench.rest.post(`/consume/${name}/${instance}`, { topic, timeout: 100 }, { headers: fromEarliest });
      const partitionsOf = async () => {
        const listed = (await bench.rest.get("/consumers")).json<ListedGroup[]>();
        const instances = listed.find((each) => each.name === name)?.instances ?? [];
        return instances.map((each) => [each.name, each.topics[0]?.partitions.length] as const);
      };
      await Promise.all([consume("a"), consume("b")]);
      await waitUntil("both have two partitions", async () => {
        await Promise.all([consume("a"), consume("b")]);
        return (await partitionsOf()).every(([, count]) => count === 2);
      });
      for (let partition = 0; partition < 4; partition++) {
        await fill(topic, 1, partition);
      }
      const seen = new Set<number>();
      const byInstance = { a: new Set<number>(), b: new Set<number>() };
      await waitUntil("all four partitions were given", async () => {
        for (const instance of ["a", "b"] as const) {
          for (const { partition } of (await consume(instance)).json<Message[]>()) {
            seen.add(partition);
            byInstance[instance].add(partition);
          }
        }
        return seen.size === 4;
      });
      expect([byInstance.a.size, byInstance.b.size]).toEqual([2, 2]);
      await bench.rest.post(`/delete-consumer/${name}/b`);
      await waitUntil("the one left has all four", async () => {
        await consume("a");
        const [only, ...others] = await partitionsOf();
        return others.length === 0 && only?.[1] === 4;
      });
    });

    test("a partition that went to another member is not committed back to where this one had read it", async () => {
      const topic = await bench.topic(2);
      const name = group();
      await Promise.all([fill(topic, 2, 0), fill(topic, 2, 1)]);
      const headers = { ...fromEarliest, "Kafka-Auto-Commit-Interval": "0" };
      const consume = (instance: string, timeout: number) =>
        bench.rest.post(`/consume/${name}/${instance}`, { topic, timeout }, { headers });
      await consume("a", 2_000);
      let gone: number[] = [];
      await waitUntil("the other has one partition", async () => {
        await consume("b", 100);
        const listed = (await bench.rest.get("/consumers")).json<ListedGroup[]>();
        const instances = listed.find((each) => each.name === name)?.instances ?? [];
        gone = instances.find((each) => each.name === "b")?.topics[0]?.partitions ?? [];
        return gone.length === 1;
      });
      const partition = gone[0] ?? 0;
      await fill(topic, 3, partition);
      await waitUntil("the other has read all of it", async () => {
        return (await consume("b", 1_000)).json<Message[]>().some(({ offset }) => offset === 4);
      });
      await bench.rest.post(`/commit/${name}/b`);
      expect(await committed(name, topic, partition)).toBe(5);
      await consume("a", 100);
      expect(await committed(name, topic, partition)).toBe(5);
    });

    test("an offset is committed exactly as given, by an instance and for a group without members", async () => {
      const topic = await bench.topic();
      const name = group();
      await fill(topic, 5);
      const position = { topic, partition: 0, offset: 2 };
      expect((await bench.rest.post(`/commit/${name}/nobody`, position)).json()).toEqual(success);
      expect(await committed(name, topic)).toBe(2);
      const messages = await bench.rest.post(`/consume/${name}/one`, { topic, timeout: 2_000 });
      expect(valuesOf(messages.json<Message[]>())).toEqual(["2", "3", "4"]);
      expect((await bench.rest.get(`/commit/${name}/one`, { body: [{ ...position, offset: 4 }] })).status).toBe(200);
      expect(await committed(name, topic)).toBe(4);
    });

    test("an instance may not commit for what it does not read, and hears of what does not exist", async () => {
      const topic = await bench.topic();
      const other = await bench.topic();
      const name = group();
      await bench.rest.post(`/consume/${name}/one`, { topic, timeout: 0 });
      for (const [status, position] of [
        [404, { topic: "conf-there-is-no-such-topic", partition: 0, offset: 0 }],
        [404, { topic, partition: 9, offset: 0 }],
        [409, { topic: other, partition: 0, offset: 0 }],
      ] as const) {
        const answer = await bench.rest.post(`/commit/${name}/one`, position);
        expect([answer.status, answer.json()]).toMatchObject([status, { result: "Error", status }]);
      }
    });

    test("committing without offsets commits what was consumed, also after an earlier offset was committed", async () => {
      const topic = await bench.topic();
      const name = group();
      await fill(topic, 5);
      const headers = { ...fromEarliest, "Kafka-Enable-Auto-Commit": "false" };
      const consumed = await bench.rest.post(`/consume/${name}/one`, { topic, timeout: 2_000 }, { headers });
      expect(consumed.json<Message[]>()).toHaveLength(5);
      await bench.rest.post(`/commit/${name}/one`, { topic, partition: 0, offset: 2 });
      expect(await committed(name, topic)).toBe(2);
      await bench.rest.post(`/commit/${name}/one`);
      expect(await committed(name, topic)).toBe(5);
    });

    test("a commit does not wait for the poll of its instance, which ends with nothing", async () => {
      const topic = await bench.topic();
      const path = `${group()}/one`;
      await bench.rest.post(`/consume/${path}`, { topic, timeout: 0 });
      const polls = [1, 2].map(() => bench.rest.post(`/consume/${path}`, { topic, timeout: 3_000 }));
      await waitUntil("a poll waits", async () => {
        return (await bench.rest.get("/metrics")).text.includes("bridge_polls_in_flight 1");
      });
      const commit = await bench.rest.post(`/commit/${path}`, { topic, partition: 0, offset: 0 });
      expect([commit.status, commit.ms < 1_000]).toEqual([200, true]);
      expect((await Promise.all(polls)).map(({ text }) => text)).toEqual(["[]", "[]"]);
      // Nothing was passed over.
      await fill(topic, 1);
      expect((await bench.rest.post(`/consume/${path}`, { topic, timeout: 3_000 })).json<Message[]>()).toHaveLength(1);
    });

    test("auto-offset-reset none refuses to begin where nothing was committed", async () => {
      const topic = await bench.topic();
      const headers = { "Kafka-Auto-Offset-Reset": "none" };
      const answer = await bench.rest.post(`/consume/${group()}/one`, { topic }, { headers });
      expect(answer.status).toBe(409);
      expect(answer.json()).toMatchObject({ status: 409, result: "Error" });
    });

    test("an unknown instance can be neither deleted nor committed for without offsets", async () => {
      const name = group();
      for (const path of [`/delete-consumer/${name}/nobody`, `/commit/${name}/nobody`]) {
        const answer = await bench.rest.post(path);
        expect(answer.status).toBe(404);
        expect(answer.json()).toMatchObject({ result: "Error", status: 404 });
        expect(answer.ms).toBeLessThan(500);
      }
    });

    test("an instance belongs to the credential that made it", async () => {
      const topic = await bench.topic();
      const name = group();
      await bench.rest.post(`/consume/${name}/one`, { topic, timeout: 0 });
      const login = "narrow:narrow-password";
      expect((await bench.rest.post(`/delete-consumer/${name}/one`, undefined, { login })).status).toBe(403);
      expect((await bench.rest.post(`/commit/${name}/one`, undefined, { login })).status).toBe(403);
      const listed = (await bench.rest.get("/consumers", { login })).json<ListedGroup[]>();
      expect(listed.some((each) => each.name === name)).toBe(false);
      for (const path of [`/committed/${name}/one`, `/commit/${name}/one`]) {
        const refused = await bench.rest.post(path, undefined, { login });
        expect(refused.status).toBe(403);
        expect(refused.text).not.toContain(topic);
      }
    });
  });
}
