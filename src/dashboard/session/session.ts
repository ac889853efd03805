// The signed-in creator: gives a fresh token whenever one is needed, renews before expiry, and ends cleanly.
import { isTimeZone, type Config } from "./config.ts";
import { Issuer, SessionOver } from "./issuer.ts";
import { storedSignIn, storedTokens, type Tokens } from "./session-store.ts";

/** A token is renewed this long before it expires, or a fifth of its life where that is less, ms. Ours. */
const MARGIN_MS = 60_000;

/** One browser tab's session. */
export class Session {
  readonly #config: Config;
  readonly #issuer: Issuer;
  readonly #listeners = new Set<() => void>();
  #tokens: Tokens | null = storedTokens.read();
  #renewal: Promise<Tokens> | null = null;

  constructor(config: Config) {
    this.#config = config;
    this.#issuer = new Issuer(config, `${location.origin}/`);
  }

  /** Whether somebody is signed in, as far as this tab knows. */
  get signedIn(): boolean {
    return this.#tokens !== null;
  }

  /** The zone in which this creator reads times: their token's, else the service's default. */
  get timeZone(): string {
    const zone = claimsOf(this.#tokens?.accessToken).zoneinfo;
    return typeof zone === "string" && isTimeZone(zone) ? zone : this.#config.defaultTimeZone;
  }

  /** Calls back when signed in turns to signed out. */
  whenOver(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Leaves for the provider. */
  async signIn(): Promise<void> {
    const { address, signIn } = await this.#issuer.beginSignIn(location.search);
    storedSignIn.write(signIn);
    location.assign(address);
  }

  /** Takes up a sign-in that has just come back in the address bar, if one has; throws when it failed. */
  async takeUp(): Promise<void> {
    const answer = new URL(location.href);
    if (!answer.searchParams.has("state")) {
      return;
    }
    const signIn = storedSignIn.read();
    storedSignIn.write(null);
    // The code leaves address bar and history before anything else can read it.
    history.replaceState(null, "", `/${signIn?.search ?? ""}`);
    if (signIn) {
      this.#keep(await this.#issuer.finishSignIn(answer, signIn));
    }
  }

  /**
   * A token that is good for a while, renewed first when it is about to expire or when `renew` says that it was
   * refused. Null when the session is over; rejects when the provider cannot be reached just now.
   */
  async accessToken(renew = false): Promise<string | null> {
    const tokens = this.#tokens;
    if (tokens === null) {
      return null;
    }
    const margin = Math.min(MARGIN_MS, (tokens.expiresAt - tokens.receivedAt) / 5);
    if (!renew && Date.now() < tokens.expiresAt - margin) {
      return tokens.accessToken;
    }
    try {
      this.#renewal ??= this.#issuer.renew(tokens).finally(() => {
        this.#renewal = null;
      });
      const renewed = await this.#renewal;
      if (this.#tokens === null) {
        return null;
      }
      this.#keep(renewed);
      return renewed.accessToken;
    } catch (error) {
      if (error instanceof SessionOver) {
        this.end();
        return null;
      }
      throw error;
    }
  }

  /** Forgets the tokens in this tab. */
  end(): void {
    this.#tokens = null;
    storedTokens.write(null);
    for (const listener of this.#listeners) {
      listener();
    }
  }

  /** Signs out here, and at the provider where it offers that. */
  async signOut(): Promise<void> {
    const tokens = this.#tokens;
    this.end();
    const address = tokens && (await this.#issuer.signOutAddress(tokens).catch(() => null));
    if (address) {
      location.assign(address);
    }
  }

  #keep(tokens: Tokens): void {
    this.#tokens = tokens;
    storedTokens.write(tokens);
  }
}

/** The token's own claims, only to choose what to show: the service decides by verifying it. */
function claimsOf(token: string | undefined): Record<string, unknown> {
  try {
    const payload = (token?.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? { ...claims } : {};
  } catch {
    return {};
  }
}
