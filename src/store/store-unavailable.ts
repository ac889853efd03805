// The one failure of a store that its callers expect: it could not be asked, or what it answered cannot be trusted.

/** The stores behind the API. */
export type StoreName = "postgres" | "clickhouse";

/**
 * A store is down, slow, or answered garbage. Everything else a store throws is a bug.
 * `retryable` says that the statement was never run, or only read, so that asking again is safe.
 */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  readonly store: StoreName;
  readonly retryable: boolean;

  /** `reason` is for the log, never for a client. */
  constructor(store: StoreName, reason: string, options: { retryable: boolean; cause?: unknown }) {
    super(`${store}: ${reason}`, { cause: options.cause });
    this.store = store;
    this.retryable = options.retryable;
  }
}
