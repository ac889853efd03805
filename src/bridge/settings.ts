// The bridge's configuration, from the environment, with an error that names what is wrong.
import { z } from "zod";
import { credentialSchema } from "./credentials.ts";
import type { BridgeLimits } from "./http.ts";

/** `name:partitions,…` as a list. */
const topicList = z.string().transform((text, context) =>
  text
    .split(",")
    .filter((each) => each.trim() !== "")
    .map((each) => {
      const match = /^([A-Za-z0-9._-]{1,249}):(\d{1,3})$/.exec(each.trim());
      if (match === null) {
        context.addIssue(`"${each.trim()}" is not name:partitions`);
      }
      return { name: match?.[1] ?? "", partitions: Number(match?.[2] ?? 0) };
    }),
);

/** A variable that holds JSON. */
const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue("not JSON");
    return z.NEVER;
  }
});

const flag = z.enum(["true", "false"]).transform((value) => value === "true");

/** The design's topics; the one of engagement has most of the traffic. */
const DEFAULT_TOPICS =
  "user.engagement.events:4,engagement.subscription.changed:1,payment.processed:1,moderation.decision.made:1";

const settingsSchema = z.object({
  /** `host:port,…`; absent: the embedded log. */
  KAFKA_BROKERS: z
    .string()
    .regex(/^[^,\s:]+:\d+(,[^,\s:]+:\d+)*$/, "host:port, more of them separated by commas")
    .optional(),
  KAFKA_TLS: flag.default(false),
  /** File with the certificate authority of a private Kafka. */
  KAFKA_TLS_CA_FILE: z.string().optional(),
  KAFKA_SASL_MECHANISM: z.enum(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]).optional(),
  KAFKA_SASL_USERNAME: z.string().optional(),
  KAFKA_SASL_PASSWORD: z.string().optional(),
  BRIDGE_PORT: z.coerce.number().int().min(0).max(65_535).default(8082),
  BRIDGE_HOST: z.string().default("127.0.0.1"),
  BRIDGE_DATA: z.string().default(".data/bridge"),
  BRIDGE_CREDENTIALS: json.pipe(z.array(credentialSchema).min(1)),
  BRIDGE_TOPICS: topicList.default(topicList.parse(DEFAULT_TOPICS)),
  /** Whether /webhook takes `?user=&pass=`, which proxies and logs can see. */
  BRIDGE_WEBHOOK_QUERY_CREDENTIALS: flag.default(false),
  /** A log line for every request, not only for those that failed. */
  BRIDGE_LOG_REQUESTS: flag.default(false),
  BRIDGE_REQUESTS_PER_SECOND: z.coerce.number().int().min(0).optional(),
  BRIDGE_MAX_MESSAGE_BYTES: z.coerce.number().int().min(1).optional(),
  BRIDGE_MAX_BODY_BYTES: z.coerce.number().int().min(1).optional(),
  BRIDGE_MAX_FETCH_RECORDS: z.coerce.number().int().min(1).optional(),
  BRIDGE_MAX_FETCH_BYTES: z.coerce.number().int().min(1).optional(),
});
export type BridgeSettings = z.infer<typeof settingsSchema>;

/** Reads the settings. Throws an Error whose message lists every variable that is wrong and why, never a value. */
export function readSettings(env: Record<string, string | undefined>): BridgeSettings {
  const parsed = settingsSchema.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== "")));
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
    throw new Error(`The bridge is not configured:\n${lines.join("\n")}`);
  }
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = parsed.data;
  if (mechanism !== undefined && (username === undefined || password === undefined)) {
    throw new Error("The bridge is not configured:\n  KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and _PASSWORD");
  }
  return parsed.data;
}

/** The limits that are set; the bridge has its own defaults for the others. */
export function limitsOf(settings: BridgeSettings): Partial<BridgeLimits> {
  const limits = {
    requestsPerSecond: settings.BRIDGE_REQUESTS_PER_SECOND,
    maxMessageBytes: settings.BRIDGE_MAX_MESSAGE_BYTES,
    maxBodyBytes: settings.BRIDGE_MAX_BODY_BYTES,
    maxFetchRecords: settings.BRIDGE_MAX_FETCH_RECORDS,
    maxFetchBytes: settings.BRIDGE_MAX_FETCH_BYTES,
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
