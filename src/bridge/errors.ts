// What a client may be told when a request fails: `{error, status, result}`, the error body of the Upstash contract.

/** A failure with its HTTP status and a sentence fit for any client. */
export class BridgeError extends Error {
  override readonly name = "BridgeError";
  readonly status: number;
  /** Seconds after which a retry makes sense; sent as `Retry-After`. */
  readonly retryAfter: number | undefined;
  /** The methods that would do; sent as `Allow`. */
  readonly allow: readonly string[] | undefined;

  constructor(
    status: number,
    message: string,
    options: { cause?: unknown; retryAfter?: number; allow?: readonly string[] } = {},
  ) {
    super(message, { cause: options.cause });
    this.status = status;
    this.retryAfter = options.retryAfter;
    this.allow = options.allow;
  }
}

/** The body of every answer that is an error. */
export const errorBody = (status: number, error: string) => ({ result: "Error", error, status });

/** 409: a member whose place in its group went to another one of its name. Whoever asks next joins anew. */
export class MembershipLost extends BridgeError {
  constructor(group: string, instance: string) {
    super(409, `Conflict: instance ${instance} is no longer a member of ${group}`);
  }
}

/** 400: the request is not what the contract says. */
export const badRequest = (message: string) => new BridgeError(400, message);

/** 404: a topic that does not exist. */
export const unknownTopic = (topic: string) => new BridgeError(404, `Unknown topic: ${topic}`);

/** 404: a partition that the topic does not have. */
export const unknownPartition = (topic: string, partition: number) =>
  new BridgeError(404, `Unknown partition: ${topic} has no partition ${partition}`);

/** 409: the topic is not the one the client expects. */
export const topicChanged = (topic: string, expected: string) =>
  new BridgeError(409, `Topic ${topic} is not the topic ${expected}`);

/** 416: an offset outside what the partition holds. */
export const offsetOutOfRange = (topic: string, partition: number, offset: number) =>
  new BridgeError(416, `Offset out of range: ${topic}/${partition} does not hold offset ${offset}`);

/** 413: a message or a request larger than allowed. */
export const tooLarge = (message: string) => new BridgeError(413, message);

/** 503: the log behind the bridge does not answer. */
export const logUnavailable = (cause?: unknown) =>
  new BridgeError(503, "Kafka is unavailable", { cause, retryAfter: 1 });
