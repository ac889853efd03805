// What went wrong at Kafka, as what a client may be told, and whether another try makes sense.
import { findErrorBy } from "@platformatic/kafka";
import { BridgeError, badRequest, logUnavailable, tooLarge } from "./errors.ts";

/** Error codes that say "not here any more" or "not yet": fresh metadata and another try answer them. */
const passing = [
  "UNKNOWN_TOPIC_OR_PARTITION",
  "UNKNOWN_TOPIC_ID",
  "INCONSISTENT_TOPIC_ID",
  "LEADER_NOT_AVAILABLE",
  "NOT_LEADER_OR_FOLLOWER",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "OFFSET_NOT_AVAILABLE",
  "REPLICA_NOT_AVAILABLE",
  "BROKER_NOT_AVAILABLE",
  "KAFKA_STORAGE_ERROR",
  "REQUEST_TIMED_OUT",
  "NOT_ENOUGH_REPLICAS",
  "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  "NETWORK_EXCEPTION",
  "COORDINATOR_LOAD_IN_PROGRESS",
  "COORDINATOR_NOT_AVAILABLE",
  "NOT_COORDINATOR",
  "REBALANCE_IN_PROGRESS",
  // Requests of one producer overtook each other, and did again as a new producer.
  "OUT_OF_ORDER_SEQUENCE_NUMBER",
  "UNKNOWN_PRODUCER_ID",
  // A transaction that commits offsets is still open.
  "UNSTABLE_OFFSET_COMMIT",
] as const;

/** The group went on without this member. */
const superseded = [
  "UNKNOWN_MEMBER_ID",
  "ILLEGAL_GENERATION",
  "FENCED_INSTANCE_ID",
  "NON_EMPTY_GROUP",
  "STALE_MEMBER_EPOCH",
] as const;

/** Whether an error carries one of Kafka's error codes, at any depth. */
export function hasKafkaCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.some((code) => findErrorBy(error, "apiId", code) !== null);
}

/** Whether Kafka could not be reached, or asks for another try. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) {
    return false;
  }
  const network = ["PLT_KFK_NETWORK", "PLT_KFK_TIMEOUT"].some((code) => findErrorBy(error, "code", code) !== null);
  return network || "syscall" in error || hasKafkaCode(error, ...passing);
}

/** The error for a client. What Kafka or the client library said stays in `cause`, for the log. */
export function asBridgeError(error: unknown): BridgeError {
  if (error instanceof BridgeError) {
    return error;
  }
  if (hasKafkaCode(error, "MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE")) {
    return tooLarge("Message too large: Kafka does not accept it");
  }
  if (hasKafkaCode(error, "INVALID_TIMESTAMP")) {
    return new BridgeError(400, "Invalid request: timestamp: Kafka does not accept it", { cause: error });
  }
  if (hasKafkaCode(error, "INVALID_RECORD", "POLICY_VIOLATION")) {
    return new BridgeError(400, "Invalid request: Kafka does not accept the record", { cause: error });
  }
  if (hasKafkaCode(error, "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED")) {
    return new BridgeError(403, "Forbidden: Kafka does not let the bridge do this", { cause: error });
  }
  if (hasKafkaCode(error, "INVALID_GROUP_ID")) {
    return new BridgeError(400, "Invalid request: group: Kafka does not accept the name", { cause: error });
  }
  if (hasKafkaCode(error, "INVALID_SESSION_TIMEOUT")) {
    return badRequest("Invalid request: Kafka-Session-Timeout-Ms: Kafka does not accept it");
  }
  if (hasKafkaCode(error, "INCONSISTENT_GROUP_PROTOCOL")) {
    return new BridgeError(409, "Conflict: the group's other members share partitions in another way", {
      cause: error,
    });
  }
  if (hasKafkaCode(error, "GROUP_MAX_SIZE_REACHED")) {
    return new BridgeError(409, "Conflict: the group has as many members as Kafka lets it have", { cause: error });
  }
  if (hasKafkaCode(error, ...superseded)) {
    return new BridgeError(409, "Conflict: the group has other members now", { cause: error });
  }
  if (isPassing(error) || hasKafkaCode(error, "SASL_AUTHENTICATION_FAILED") || isAuthentication(error)) {
    return logUnavailable(error);
  }
  return new BridgeError(500, "Internal error", { cause: error });
}

/** Kafka refusing the bridge's own login: nothing a client can do, so to it Kafka is unavailable. */
function isAuthentication(error: unknown): boolean {
  return error instanceof Error && findErrorBy(error, "code", "PLT_KFK_AUTHENTICATION") !== null;
}

/** The result, or a 503 once the deadline has passed; the work itself may run on. */
export function within<T>(deadline: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(logUnavailable(deadline.reason));
    if (deadline.aborted) {
      end();
    }
    deadline.addEventListener("abort", end);
    work.then(resolve, reject).finally(() => deadline.removeEventListener("abort", end));
  });
}

/** First pause between tries, doubled up to the second, milliseconds: a leader is elected, a broker back, in this order. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Tries again while the error is a passing one and the deadline has not come. Throws a BridgeError. */
export async function persist<T>(deadline: AbortSignal, attempt: (tries: number) => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await within(deadline, attempt(tries));
    } catch (error) {
      if (deadline.aborted || !isPassing(error)) {
        throw asBridgeError(error);
      }
      await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries), deadline);
      if (deadline.aborted) {
        throw logUnavailable(error);
      }
    }
  }
}

/** Waits, but not past the signal. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) {
      end();
    }
  });
}
