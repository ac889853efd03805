// The three conversations with the OpenID provider: send the person there, redeem the code, renew. Authorization code
// with PKCE as a public client; every check is the library's.
import * as oauth from "oauth4webapi";
import type { Config } from "./config.ts";
import type { SignInOnItsWay, Tokens } from "./session-store.ts";

/** The provider says that this session is over: only a new sign-in helps. */
export class SessionOver extends Error {
  override name = "SessionOver";
}

/** A sign-in that came back with an error, in the provider's own code, such as `access_denied`. */
export class SignInRefused extends Error {
  override name = "SignInRefused";
}

const SCOPE = "openid offline_access";
/** A phone on a bad network; the person is waiting. Ours. */
const TIMEOUT_MS = 15_000;

/**
 * How wrong a device's clock may be, s: a day, ours. Phones are set by hand, and the library judges an ID token by that
 * clock, though nonce and direct delivery prove its freshness and only the service's own clock decides who gets in.
 */
const CLOCK_TOLERANCE_SECONDS = 86_400;

/** The provider that the configuration names, its metadata read once and when first needed. */
export class Issuer {
  readonly #url: URL;
  readonly #client: oauth.Client;
  readonly #audience: string;
  readonly #redirectUri: string;
  #metadata: Promise<oauth.AuthorizationServer> | null = null;

  /** `redirectUri` is where the provider sends the person back to. */
  constructor(config: Config, redirectUri: string) {
    this.#url = new URL(config.issuer);
    this.#client = { client_id: config.clientId, [oauth.clockTolerance]: CLOCK_TOLERANCE_SECONDS };
    this.#audience = config.audience;
    this.#redirectUri = redirectUri;
  }

  /** The address to send the person to, and what must be kept until they come back. `search` is the query to return to. */
  async beginSignIn(search: string): Promise<{ address: URL; signIn: SignInOnItsWay }> {
    const { authorization_endpoint: endpoint } = await this.#server();
    if (endpoint === undefined) {
      throw new Error("The provider has no authorization endpoint.");
    }
    const signIn = {
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
      verifier: oauth.generateRandomCodeVerifier(),
      search,
    };
    const address = new URL(endpoint);
    const parameters = {
      client_id: this.#client.client_id,
      redirect_uri: this.#redirectUri,
      response_type: "code",
      scope: SCOPE,
      // Some providers choose an access token's audience by this; the others ignore it.
      audience: this.#audience,
      state: signIn.state,
      nonce: signIn.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(signIn.verifier),
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(parameters)) {
      address.searchParams.set(name, value);
    }
    return { address, signIn };
  }

  /** Redeems the code that came back in `answer`. Throws {@link SignInRefused} when the provider or the person said no. */
  async finishSignIn(answer: URL, signIn: SignInOnItsWay): Promise<Tokens> {
    const server = await this.#server();
    try {
      const parameters = oauth.validateAuthResponse(server, this.#client, answer, signIn.state);
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        this.#client,
        oauth.None(),
        parameters,
        this.#redirectUri,
        signIn.verifier,
        this.#options(),
      );
      const options = { expectedNonce: signIn.nonce, requireIdToken: true };
      return tokensFrom(await oauth.processAuthorizationCodeResponse(server, this.#client, response, options), null);
    } catch (error) {
      if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
        throw new SignInRefused(error.error, { cause: error });
      }
      throw error;
    }
  }

  /** New tokens for old. Throws {@link SessionOver} when there is no way but to sign in again. */
  async renew(tokens: Tokens): Promise<Tokens> {
    if (tokens.refreshToken === null) {
      throw new SessionOver("no refresh token");
    }
    const server = await this.#server();
    try {
      const response = await oauth.refreshTokenGrantRequest(
        server,
        this.#client,
        oauth.None(),
        tokens.refreshToken,
        this.#options(),
      );
      return tokensFrom(await oauth.processRefreshTokenResponse(server, this.#client, response), tokens);
    } catch (error) {
      // A 5xx is the provider's trouble, anything else it says is about this session.
      if (error instanceof oauth.ResponseBodyError && error.status < 500) {
        throw new SessionOver(error.error, { cause: error });
      }
      throw error;
    }
  }

  /** Where signing out at the provider happens; null when it offers no such address. */
  async signOutAddress(tokens: Tokens): Promise<URL | null> {
    const { end_session_endpoint: endpoint } = await this.#server();
    if (endpoint === undefined || tokens.idToken === null) {
      return null;
    }
    const address = new URL(endpoint);
    address.searchParams.set("id_token_hint", tokens.idToken);
    address.searchParams.set("post_logout_redirect_uri", this.#redirectUri);
    return address;
  }

  /** A failed discovery is not remembered, so that the next attempt asks again. */
  #server(): Promise<oauth.AuthorizationServer> {
    this.#metadata ??= this.#discover().catch((error: unknown) => {
      this.#metadata = null;
      throw error;
    });
    return this.#metadata;
  }

  async #discover(): Promise<oauth.AuthorizationServer> {
    const response = await oauth.discoveryRequest(this.#url, { ...this.#options(), algorithm: "oidc" });
    return oauth.processDiscoveryResponse(this.#url, response);
  }

  /** Plain HTTP only to this very machine, where a browser trusts it as well. */
  #options() {
    const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(this.#url.hostname);
    // oxlint-disable-next-line typescript/no-deprecated -- marked so to stand out; it is for this very case
    return { [oauth.allowInsecureRequests]: loopback, signal: AbortSignal.timeout(TIMEOUT_MS) };
  }
}

/** A provider that does not say how long a token lives is taken for an hour: a wrong guess only costs one renewal. */
const UNSAID_LIFETIME_SECONDS = 3_600;

function tokensFrom(answer: oauth.TokenEndpointResponse, before: Tokens | null): Tokens {
  const receivedAt = Date.now();
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? before?.refreshToken ?? null,
    idToken: answer.id_token ?? before?.idToken ?? null,
    receivedAt,
    expiresAt: receivedAt + (answer.expires_in ?? UNSAID_LIFETIME_SECONDS) * 1_000,
  };
}
