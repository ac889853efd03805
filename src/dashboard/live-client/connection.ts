// The states of the connection, and what each way of losing it asks for. Pure.

/** Why a connection was lost or will not be made. */
export type LossCause =
  | "dropped"
  | "silent"
  | "unreachable"
  | "malformed"
  | "token_expired"
  | "idle"
  | "too_many_sockets"
  | "restart"
  | "try_later"
  | "forbidden"
  | "signed_out";

/** Where the connection stands. Instants are milliseconds since the Unix epoch. */
export type Connection =
  | { readonly phase: "idle" }
  /** `failures`: attempts lost in a row before this one. */
  | { readonly phase: "connecting"; readonly failures: number }
  /** A snapshot has arrived: the numbers are the service's. */
  | { readonly phase: "open"; readonly since: number }
  | { readonly phase: "waiting"; readonly cause: LossCause; readonly failures: number; readonly retryAt: number }
  /** For good, until it is started again. */
  | { readonly phase: "stopped"; readonly cause: LossCause | "asked" };

/** How to go on after a loss. */
export interface Recovery {
  cause: LossCause;
  /** No further attempt makes sense. */
  stop: boolean;
  /** Ask for a new token first. */
  renewToken: boolean;
  /** The least wait, ms. */
  minimumMs: number;
}

/** A service that asks for patience gets at least this, ms. Ours. */
const PATIENCE_MS = 5_000;
/** Another tab has to close first, so trying often is useless, ms. Ours. */
const FULL_HOUSE_MS = 30_000;
const NO_PATIENCE_MS = 100;

/** What a close code asks for; codes as in the service's contract, anything else is a dropped connection. */
export function recoveryFrom(code: number): Recovery {
  const recovery = (cause: LossCause, rest: Partial<Recovery> = {}): Recovery => ({
    cause,
    stop: false,
    renewToken: false,
    minimumMs: NO_PATIENCE_MS,
    ...rest,
  });
  switch (code) {
    case 4400:
      return recovery("malformed", { minimumMs: PATIENCE_MS });
    case 4401:
      return recovery("token_expired", { renewToken: true });
    case 4403:
      return recovery("forbidden", { stop: true });
    case 4408:
      return recovery("idle");
    case 4429:
      return recovery("too_many_sockets", { minimumMs: FULL_HOUSE_MS });
    case 1012:
      return recovery("restart");
    case 1013:
      return recovery("try_later", { minimumMs: PATIENCE_MS });
    default:
      return recovery("dropped");
  }
}
