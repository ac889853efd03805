// Access tokens without a browser: the same claims as a sign-in gives (RFC 9068), signed with the issuer's own key.
import { randomUUID } from "node:crypto";
import { importJWK, SignJWT } from "jose";
import type { IssuerKeys } from "./keys.ts";

/** The API's audience, as the Workers are configured. */
export const AUDIENCE = "creator-dashboard";

/** The dashboard page's client id, as the API Worker is configured. */
export const PAGE_CLIENT_ID = "creator-dashboard-page";

/** What a token says. */
export interface MintOptions {
  readonly creatorId: string;
  /** `["creator"]` unless told. */
  readonly roles?: readonly string[];
  /** How long ago the person signed in; just now unless told. */
  readonly authAgeSeconds?: number;
  /** From now; an hour unless told. A negative one makes a token that has expired. */
  readonly expiresInSeconds?: number;
  /** IANA zone of the creator; no claim when absent. */
  readonly zoneinfo?: string | undefined;
}

/** Signs a token of the issuer at `issuerUrl`. */
export async function mintToken(issuerUrl: string, keys: IssuerKeys, options: MintOptions): Promise<string> {
  const { creatorId, roles = ["creator"], authAgeSeconds = 0, expiresInSeconds = 3600, zoneinfo } = options;
  const now = Math.floor(Date.now() / 1000);
  const expiresAt = now + expiresInSeconds;
  return (
    new SignJWT({
      roles,
      auth_time: now - authAgeSeconds,
      client_id: PAGE_CLIENT_ID,
      ...(zoneinfo === undefined ? {} : { zoneinfo }),
    })
      .setProtectedHeader({ alg: keys.signing.alg, kid: keys.signing.kid, typ: "at+jwt" })
      .setIssuer(issuerUrl)
      .setAudience(AUDIENCE)
      .setSubject(creatorId)
      .setJti(randomUUID())
      // An expired token was issued before it expired.
      .setIssuedAt(Math.min(now, expiresAt))
      .setExpirationTime(expiresAt)
      .sign(await importJWK(keys.signing, keys.signing.alg))
  );
}
