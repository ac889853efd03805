// The issuer's side of the tests: tokens that are accepted, and a list of those that must be refused everywhere.
import { base64url, generateKeyPair, importJWK, SignJWT, type JWTHeaderParameters, type JWTPayload } from "jose";
import { inject } from "vitest";

const services = inject("apiServices");

/** Seconds since the epoch. */
export const epochSeconds = () => Math.floor(Date.now() / 1_000);

/** The claims of a creator who has just signed in. */
export function claimsOf(creatorId: string, changes: Record<string, unknown> = {}): JWTPayload {
  const now = epochSeconds();
  return {
    iss: services.issuer,
    aud: "creator-dashboard",
    sub: creatorId,
    roles: ["creator"],
    iat: now,
    exp: now + 600,
    auth_time: now,
    ...changes,
  };
}

/** A token signed by the issuer. A claim set to undefined is left out. */
export async function tokenOf(
  creatorId: string,
  changes: Record<string, unknown> = {},
  algorithm: "ES256" | "RS256" = "ES256",
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  const jwk = services.signingKeys[algorithm];
  const key = await importJWK(jwk, algorithm);
  return new SignJWT(claimsOf(creatorId, changes))
    .setProtectedHeader({ alg: algorithm, kid: `test-${algorithm}`, ...header })
    .sign(key);
}

/** A token that must be refused. `undefined` means no token at all. */
export interface RefusedToken {
  readonly name: string;
  readonly status: 401 | 403;
  readonly token: () => Promise<string | undefined>;
}

const unsigned = (header: object, payload: object) =>
  `${base64url.encode(JSON.stringify(header))}.${base64url.encode(JSON.stringify(payload))}.`;

const refused = (name: string, token: () => Promise<string | undefined>, status: 401 | 403 = 401): RefusedToken => ({
  name,
  status,
  token,
});

const creator = "creator_refused";

/** Every way in which a token proves nothing, or too little. */
export const refusedTokens: readonly RefusedToken[] = [
  refused("no token", () => Promise.resolve(undefined)),
  refused("garbage", () => Promise.resolve("garbage")),
  refused("three parts of garbage", () => Promise.resolve("a.b.c")),
  refused("an oversize token", () => tokenOf(creator, { padding: "x".repeat(8_192) })),
  refused("an expired token", () => tokenOf(creator, { exp: epochSeconds() - 60 })),
  refused("a token without expiry", () => tokenOf(creator, { exp: undefined })),
  refused("a token that is not valid yet", () => tokenOf(creator, { nbf: epochSeconds() + 600 })),
  refused("a token of another issuer", () => tokenOf(creator, { iss: "https://elsewhere.test" })),
  refused("a token without issuer", () => tokenOf(creator, { iss: undefined })),
  refused("a token for another audience", () => tokenOf(creator, { aud: "another-service" })),
  refused("a token without audience", () => tokenOf(creator, { aud: undefined })),
  refused("a token without subject", () => tokenOf(creator, { sub: undefined })),
  refused("a token whose subject is no creator id", () => tokenOf("../admin")),
  refused("a logout token", () => tokenOf(creator, {}, "ES256", { typ: "logout+jwt" })),
  refused("a token with an unknown critical header", () =>
    tokenOf(creator, {}, "ES256", { crit: ["b64x"], b64x: true }).catch(() =>
      unsigned({ alg: "ES256", kid: "test-ES256", crit: ["b64x"], b64x: true }, claimsOf(creator)),
    ),
  ),
  refused("alg none", () => Promise.resolve(unsigned({ alg: "none", kid: "test-ES256" }, claimsOf(creator)))),
  refused("a token whose signature was cut off", async () => {
    const token = await tokenOf(creator);
    return token.slice(0, token.lastIndexOf(".") + 1);
  }),
  refused("a token whose payload was exchanged", async () => {
    const [header, , signature] = (await tokenOf(creator)).split(".");
    return [header, base64url.encode(JSON.stringify(claimsOf("somebody_else"))), signature].join(".");
  }),
  refused("the public key used as an HMAC secret", async () => {
    const { n } = services.signingKeys.RS256;
    return new SignJWT(claimsOf(creator))
      .setProtectedHeader({ alg: "HS256", kid: "test-RS256" })
      .sign(new TextEncoder().encode(n));
  }),
  refused("a foreign key under our key's name", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    return new SignJWT(claimsOf(creator)).setProtectedHeader({ alg: "ES256", kid: "test-ES256" }).sign(privateKey);
  }),
  refused("a foreign key that the token brings along", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const { kty, crv, x, y } = (await crypto.subtle.exportKey("jwk", publicKey)) as {
      kty: string;
      crv: string;
      x: string;
      y: string;
    };
    return new SignJWT(claimsOf(creator))
      .setProtectedHeader({ alg: "ES256", jwk: { kty, crv, x, y }, jku: "https://elsewhere.test/jwks" })
      .sign(privateKey);
  }),
  refused("an unknown key id", () => tokenOf(creator, {}, "ES256", { kid: "../../dev/null" })),
  refused("a viewer's token", () => tokenOf(creator, { roles: ["viewer"] }), 403),
  refused("a token without roles", () => tokenOf(creator, { roles: undefined }), 403),
  refused("roles that are not a list", () => tokenOf(creator, { roles: "creator" }), 403),
];
