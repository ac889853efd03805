// The bridge's configuration, from the environment, with an error that names what is wrong.
import { z } from "zod";
import { credentialSchema } from "./credentials.ts";
import type { BridgeLimits } from "./http.ts";

/** `name:partitions,…` as a list. */
const topicList = z.string().transform((text, context) =>
  text
    .split(",")
    .filter((each) => each.trim() !== "")
    .map((each, i) => {
      const match = /^([A-Za-z0-9._-]{1,249}):(\d{1,3})$/.exec(each.trim());
      if (match === null) {
        context.addIssue(`entry ${i + 1} is not name:partitions`);
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

const brokerList = /^(?:[^,\s:[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5}(?:,(?:[^,\s:[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5})*$/;

/** A connection to Kafka gives up after 30 s; whoever polls must hear from the bridge before. */
const MOST_TIMEOUT_MS = 29_000;

const flag = z.enum(["true", "false"]).transform((value) => value === "true");

/** The design's topics; the one of engagement has most of the traffic. */
const DEFAULT_TOPICS =
  "user.engagement.events:4,engagement.subscription.changed:1,payment.processed:1,moderation.decision.made:1";

const least = (value: number) => z.coerce.number().int().min(value).optional();

const settingsSchema = z.object({
  /** `host:port,…`; absent: the embedded log. */
  KAFKA_BROKERS: z
    .string()
    .regex(brokerList, "host:port, more of them separated by commas; IPv6 addresses in brackets")
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
  BRIDGE_REQUESTS_PER_SECOND: least(0),
  BRIDGE_MAX_MESSAGE_BYTES: least(1),
  BRIDGE_MAX_BODY_BYTES: least(1),
  BRIDGE_MAX_FETCH_RECORDS: least(1),
  BRIDGE_MAX_FETCH_BYTES: least(1),
  BRIDGE_MAX_POLLS: least(1),
  BRIDGE_MAX_INSTANCES: least(1),
  BRIDGE_MAX_TIMEOUT_MS: z.coerce.number().int().min(1).max(MOST_TIMEOUT_MS).optional(),
});
export type BridgeSettings = z.infer<typeof settingsSchema>;

/** Reads the settings. Throws an Error whose message lists every variable that is wrong and why, never a value. */
export function readSettings(env: Record<string, string | undefined>): BridgeSettings {
  const parsed = settingsSchema.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== "")));
  const lines = parsed.success
    ? contradictions(parsed.data)
    : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  if (!parsed.success || lines.length > 0) {
    throw new Error(`The bridge is not configured:\n${lines.map((line) => `  ${line}`).join("\n")}`);
  }
  return parsed.data;
}

/** Settings that would do nothing: whoever set them expects that they do. */
function contradictions(settings: BridgeSettings): string[] {
  const { KAFKA_BROKERS: brokers, KAFKA_TLS: isTls, KAFKA_TLS_CA_FILE: caFile } = settings;
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings;
  const sasl = [mechanism, username, password].filter((each) => each !== undefined);
  const lines: string[] = [];
  if (caFile !== undefined && !isTls) {
    lines.push("KAFKA_TLS_CA_FILE does nothing without KAFKA_TLS=true");
  }
  if (sasl.length > 0 && sasl.length < 3) {
    lines.push("KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD need each other");
  }
  if (brokers === undefined && (isTls || sasl.length > 0)) {
    lines.push("KAFKA_TLS and KAFKA_SASL_… do nothing without KAFKA_BROKERS: the embedded log would be used");
  }
  return lines;
}

/** The limits that are set; the bridge has its own defaults for the others. */
export function limitsOf(settings: BridgeSettings): Partial<BridgeLimits> {
  const limits = {
    requestsPerSecond: settings.BRIDGE_REQUESTS_PER_SECOND,
    maxMessageBytes: settings.BRIDGE_MAX_MESSAGE_BYTES,
    maxBodyBytes: settings.BRIDGE_MAX_BODY_BYTES,
    maxFetchRecords: settings.BRIDGE_MAX_FETCH_RECORDS,
    maxFetchBytes: settings.BRIDGE_MAX_FETCH_BYTES,
    maxPolls: settings.BRIDGE_MAX_POLLS,
    maxInstances: settings.BRIDGE_MAX_INSTANCES,
    maxTimeoutMs: settings.BRIDGE_MAX_TIMEOUT_MS,
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
