// An OpenID provider reduced to what a page meets: discovery, an authorization that says yes at once, tokens against
// code and PKCE verifier, renewal, sign-out. Strict where the page must be right.
import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** How the provider behaves; a test may change it at any time. */
export interface IssuerBehaviour {
  /** An OAuth error code to send the person back with. */
  refuseWith: string | null;
  /** Whether refresh tokens are honoured. */
  renews: boolean;
  lifetimeSeconds: number;
}

/** Answers every request below `/issuer`. */
export class FakeIssuer {
  readonly behaviour: IssuerBehaviour = { refuseWith: null, renews: true, lifetimeSeconds: 600 };
  /** Access tokens handed out, oldest first. */
  readonly issued: string[] = [];
  readonly #codes = new Map<string, { challenge: string; nonce: string }>();
  readonly #keys = generateKeyPair("ES256", { extractable: true });

  /** `origin` is the server's own. */
  async answer(origin: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const issuer = `${origin}/issuer`;
    const url = new URL(request.url ?? "/", origin);
    switch (url.pathname) {
      case "/issuer/.well-known/openid-configuration":
        return json(response, 200, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          end_session_endpoint: `${issuer}/sign-out`,
          jwks_uri: `${issuer}/keys`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["ES256"],
          code_challenge_methods_supported: ["S256"],
        });
      case "/issuer/authorize":
        return this.#authorize(url, response);
      case "/issuer/token":
        return this.#token(issuer, new URLSearchParams(await bodyOf(request)), response);
      case "/issuer/keys":
        return json(response, 200, { keys: [await exportJWK((await this.#keys).publicKey)] });
      case "/issuer/sign-out":
        return redirect(response, url.searchParams.get("post_logout_redirect_uri") ?? "/");
      default:
        return json(response, 404, {});
    }
  }

  #authorize(url: URL, response: ServerResponse): void {
    const back = new URL(url.searchParams.get("redirect_uri") ?? "");
    back.searchParams.set("state", url.searchParams.get("state") ?? "");
    if (this.behaviour.refuseWith === null) {
      const code = randomUUID();
      const challenge = url.searchParams.get("code_challenge") ?? "";
      this.#codes.set(code, { challenge, nonce: url.searchParams.get("nonce") ?? "" });
      back.searchParams.set("code", code);
    } else {
      back.searchParams.set("error", this.behaviour.refuseWith);
    }
    redirect(response, back.href);
  }

  async #token(issuer: string, form: URLSearchParams, response: ServerResponse): Promise<void> {
    if (form.get("grant_type") === "refresh_token") {
      return this.behaviour.renews
        ? json(response, 200, await this.#tokens(issuer, null))
        : json(response, 400, { error: "invalid_grant" });
    }
    const code = form.get("code") ?? "";
    const known = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    return known && known.challenge === challenge
      ? json(response, 200, await this.#tokens(issuer, known.nonce))
      : json(response, 400, { error: "invalid_grant" });
  }

  async #tokens(issuer: string, nonce: string | null): Promise<Record<string, unknown>> {
    const { privateKey } = await this.#keys;
    const sign = (audience: string, claims: Record<string, unknown>) =>
      new SignJWT({ ...claims, jti: randomUUID() })
        .setProtectedHeader({ alg: "ES256" })
        .setIssuer(issuer)
        .setSubject("cr_demo")
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(`${this.behaviour.lifetimeSeconds} s`)
        .sign(privateKey);
    const accessToken = await sign("creator-dashboard", { roles: ["creator"], zoneinfo: "Africa/Lagos" });
    this.issued.push(accessToken);
    return {
      access_token: accessToken,
      token_type: "Bearer",
      expires_in: this.behaviour.lifetimeSeconds,
      refresh_token: randomUUID(),
      id_token: await sign("page", nonce === null ? {} : { nonce }),
    };
  }
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { Location: location }).end();
}

/** Answers with JSON. */
export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers });
  response.end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer); // a request without an encoding gives buffers
  }
  return Buffer.concat(chunks).toString();
}
