// The same suite on a real Kafka: the one KAFKA_BROKERS names, or one started here where Java and Maven are.
import { Admin } from "@platformatic/kafka";
import { openKafkaLog } from "../../src/bridge/kafka-log.ts";
import { conformanceOn } from "./conformance.ts";
import { startKafka, whyNoKafka } from "./kafka/broker.ts";
import { waitUntil } from "./wait-until.ts";

const elsewhere = process.env["KAFKA_BROKERS"]?.split(",");
const missing = elsewhere === undefined ? whyNoKafka() : undefined;

conformanceOn(
  "Apache Kafka",
  async () => {
    const cluster = elsewhere === undefined ? await startKafka() : undefined;
    const brokers = elsewhere ?? cluster?.brokers ?? [];
    const admin = new Admin({ clientId: "tests", bootstrapBrokers: brokers, retries: 5, retryDelay: 200 });
    const log = openKafkaLog({ brokers });
    return {
      log,
      createTopic: async (name, partitions) => {
        await admin.createTopics({ topics: [name], partitions, replicas: 1 });
        // The controller answers before every broker serves the topic.
        const isServed = async () =>
          (await log.topic(name, AbortSignal.timeout(5_000), { fresh: true }))?.partitions === partitions;
        await waitUntil(`topic ${name} is served`, isServed);
      },
      deleteTopic: (name) => admin.deleteTopics({ topics: [name] }),
      stop: async () => {
        await Promise.all([log.close(), admin.close()]);
        await cluster?.stop();
      },
    };
  },
  missing,
);
