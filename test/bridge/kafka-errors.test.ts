// What a client is told of Kafka's error codes.
import { ProtocolError } from "@platformatic/kafka";
import { expect, test } from "vitest";
import { asBridgeError, isPassing } from "../../src/bridge/kafka-errors.ts";

test.each([
  ["INCONSISTENT_GROUP_PROTOCOL", 409],
  ["GROUP_MAX_SIZE_REACHED", 409],
  ["STALE_MEMBER_EPOCH", 409],
  ["ILLEGAL_GENERATION", 409],
  ["INVALID_SESSION_TIMEOUT", 400],
  ["UNSTABLE_OFFSET_COMMIT", 503],
  ["NOT_COORDINATOR", 503],
] as const)("%s is a %i", (code, status) => {
  const error = new ProtocolError(code);
  expect(asBridgeError(error).status).toBe(status);
  expect(isPassing(error)).toBe(status === 503);
});
