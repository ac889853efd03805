// Process of the local stack: an audience that watches the seed's creators, so that a fresh dashboard moves.
import { join } from "node:path";
import { z } from "zod";
import { defaultTopics } from "../../contract/events.ts";
import { systemClock } from "../../runtime/clock.ts";
import { createLog } from "../../runtime/log.ts";
import { pause } from "../pause.ts";
import { Playback } from "./playback.ts";
import { ProduceRefused } from "./producer.ts";
import { seededRepertoire } from "./seeded-repertoire.ts";
import { KeptSubscriberCounts } from "./subscriber-counts.ts";
import { playTraffic } from "./traffic.ts";

const settings = z
  .object({
    KAFKA_REST_URL: z.url(),
    KAFKA_REST_USERNAME: z.string(),
    KAFKA_REST_PASSWORD: z.string(),
    TOPIC_ENGAGEMENT: z.string().default(defaultTopics.engagement),
    TOPIC_SUBSCRIPTION: z.string().default(defaultTopics.subscription),
    TOPIC_PAYMENT: z.string().default(defaultTopics.payment),
    TOPIC_MODERATION: z.string().default(defaultTopics.moderation),
    DATA_FOLDER: z.string().min(1),
    SEED_SCALE: z.enum(["full", "small"]).default("full"),
    /** Events per second on average: moves every number of a dashboard, and leaves two cores nearly idle. */
    TRAFFIC_RATE: z.coerce.number().min(0.1).max(5_000).default(20),
    TRAFFIC_SEED: z.coerce.number().int().min(0).default(1),
  })
  .parse(process.env);

const log = createLog({ service: "traffic" });
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => stopping.abort());
}
const startAt = systemClock.now();
const repertoire = seededRepertoire(settings.SEED_SCALE, startAt);
const known = [repertoire.demo, ...repertoire.others].flatMap(({ creatorId, subscribers }) =>
  subscribers === null ? [] : [[creatorId, subscribers] as const],
);
const counts = new KeptSubscriberCounts(join(settings.DATA_FOLDER, "subscriber-counts.json"), known);
log.info("traffic.started", { rate: settings.TRAFFIC_RATE, creators: repertoire.others.length + 1 });
try {
  await playTraffic(
    {
      playback: new Playback({ repertoire, seed: settings.TRAFFIC_SEED, startAt, rate: settings.TRAFFIC_RATE, counts }),
      producer: {
        url: settings.KAFKA_REST_URL,
        username: settings.KAFKA_REST_USERNAME,
        password: settings.KAFKA_REST_PASSWORD,
        topics: {
          engagement: settings.TOPIC_ENGAGEMENT,
          subscription: settings.TOPIC_SUBSCRIPTION,
          payment: settings.TOPIC_PAYMENT,
          moderation: settings.TOPIC_MODERATION,
        },
        log,
        pause,
      },
      clock: systemClock,
      log,
      keep: () => counts.save(),
    },
    stopping.signal,
  );
} catch (error) {
  if (!(error instanceof ProduceRefused)) {
    throw error;
  }
  log.error("traffic.refused", { reason: error.message });
  process.exitCode = 1;
}
