// Topics made and deleted beside the bridge, which goes on believing what it knows.
import { Admin } from "@platformatic/kafka";
import { waitUntil } from "../wait-until.ts";

/** Makes a topic, and waits until it is served. */
export async function createTopic(
  brokers: string[],
  topic: string,
  partitions: number,
  settings: Record<string, string> = {},
): Promise<void> {
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await withAdmin(brokers, (admin) => admin.createTopics({ topics: [topic], partitions, replicas: 1, configs }));
  await waitUntil(`${topic} is served`, async () => (await partitionsOf(brokers, topic)) === partitions);
}

/** Deletes a topic, and waits until it is gone. */
export async function deleteTopic(brokers: string[], topic: string): Promise<void> {
  await withAdmin(brokers, (admin) => admin.deleteTopics({ topics: [topic] }));
  await waitUntil(`${topic} is gone`, async () => (await partitionsOf(brokers, topic)) === 0);
}

function partitionsOf(brokers: string[], topic: string): Promise<number> {
  return withAdmin(brokers, (admin) =>
    admin.metadata({ topics: [topic] }).then(
      ({ topics }) => topics.get(topic)?.partitionsCount ?? 0,
      () => 0,
    ),
  );
}

async function withAdmin<T>(bootstrapBrokers: string[], work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({ clientId: "tests", bootstrapBrokers, retries: 5, retryDelay: 200 });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}
