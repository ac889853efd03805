// Who is asking: a bearer token is verified against the issuer's published keys, and yields a creator or a problem.
import { createRemoteJWKSet, errors, jwtVerify, type RemoteJWKSet } from "jose";
import { z } from "zod";
import { creatorIdSchema, type CreatorId } from "../contract/ids.ts";
import type { Configuration } from "./configuration.ts";
import { Problem } from "./problem.ts";

/** Clocks of an issuer and of the edge may differ by this much. RFC 7519 §4.1.4 allows "a few minutes" at most; ours. */
export const CLOCK_TOLERANCE_SECONDS = 10;
/** Pinned: the algorithms the contract names, whatever a token's header asks for (RFC 8725 §3.1). */
const ALGORITHMS = ["ES256", "RS256"];
/** A longer token is no token of ours; the bound keeps parsing cheap. */
const MAX_TOKEN_LENGTH = 8_192;
/** Waiting for the issuer's keys longer than this helps nobody: the request's own budget is two seconds. */
const KEY_TIMEOUT_MS = 1_500;
/** The only kinds of token that open anything here: others of the same issuer (logout, DPoP) are signed too. */
const tokenTypes = new Set(["JWT", "AT+JWT", "APPLICATION/AT+JWT"]);

const REALM = 'Bearer realm="creator-dashboard"';

/** The verified caller. */
export interface Creator {
  readonly creatorId: CreatorId;
  /** When the token ends, in seconds since the epoch. */
  readonly tokenExpiresAt: number;
  /** When the person last signed in, in seconds since the epoch; undefined when the token does not say. */
  readonly authTime: number | undefined;
  /** The IANA zone of the sign-in, unchecked; undefined when the token does not say. */
  readonly zoneinfo: string | undefined;
}

const claimsSchema = z.object({
  sub: creatorIdSchema,
  exp: z.int(),
  roles: z.array(z.string()).catch([]),
  auth_time: z.number().optional().catch(undefined),
  zoneinfo: z.string().max(64).optional().catch(undefined),
});

/** Verified keys are shared by an isolate's requests; a pending fetch of them is not, as the runtime demands. */
const keySets = new Map<string, RemoteJWKSet>();

function keysOf(jwksUrl: string): RemoteJWKSet {
  const known = keySets.get(jwksUrl);
  if (known) {
    return known;
  }
  const made = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: KEY_TIMEOUT_MS });
  keySets.set(jwksUrl, made);
  return made;
}

/** The token of an `Authorization` header; undefined when there is no bearer token in it. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([^\s,]+)$/i.exec(authorization ?? "")?.[1];
}

/**
 * The creator whose token this is.
 * @throws Problem 401 when the token proves nothing, 403 when it proves somebody who is no creator, 503 when the
 * issuer's keys cannot be had
 */
export async function authenticate(
  token: string | undefined,
  auth: Configuration["auth"],
  nowMs: number,
): Promise<Creator> {
  if (token === undefined) {
    throw new Problem("unauthenticated", "A bearer token is required.", { headers: { "WWW-Authenticate": REALM } });
  }
  const claims = claimsSchema.safeParse(await verify(token, auth, nowMs));
  if (!claims.success) {
    throw invalidToken("The access token is not valid.", claims.error);
  }
  const { sub, exp, roles, auth_time: authTime, zoneinfo } = claims.data;
  if (!roles.includes("creator")) {
    throw new Problem("forbidden", "This sign-in is not a creator's.", {
      headers: { "WWW-Authenticate": `${REALM}, error="insufficient_scope"` },
    });
  }
  return { creatorId: sub, tokenExpiresAt: exp, authTime, zoneinfo };
}

async function verify(token: string, auth: Configuration["auth"], nowMs: number): Promise<unknown> {
  if (token.length > MAX_TOKEN_LENGTH) {
    throw invalidToken("The access token is not valid.");
  }
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keysOf(auth.jwksUrl), {
      issuer: auth.issuer,
      audience: auth.audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(nowMs),
      requiredClaims: ["sub", "exp"],
    });
    if (protectedHeader.typ !== undefined && !tokenTypes.has(protectedHeader.typ.toUpperCase())) {
      throw invalidToken("The access token is not valid.");
    }
    return payload;
  } catch (error) {
    throw error instanceof Problem ? error : refusalOf(error);
  }
}

/** Everything about the token is a 401; only failing to get the keys is our trouble. */
function refusalOf(error: unknown): Problem {
  if (error instanceof errors.JWTExpired) {
    return invalidToken("The access token has expired.", error);
  }
  const isAboutKeys =
    !(error instanceof errors.JOSEError) ||
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    error.code === "ERR_JOSE_GENERIC";
  if (isAboutKeys && !(error instanceof SyntaxError)) {
    return new Problem("authentication_unavailable", "Sign-ins cannot be checked right now.", {
      headers: { "Retry-After": "5" },
      cause: error,
    });
  }
  return invalidToken("The access token is not valid.", error);
}

function invalidToken(description: string, cause?: unknown): Problem {
  return new Problem("unauthenticated", description, {
    headers: { "WWW-Authenticate": `${REALM}, error="invalid_token", error_description="${description}"` },
    cause,
  });
}

/**
 * Refuses a sign-in that is too old for a sensitive change, with the challenge of RFC 9470 §3.
 * @throws Problem 401 `insufficient_user_authentication`
 */
export function requireRecentSignIn(creator: Creator, maxAgeSeconds: number, nowMs: number): void {
  const ageSeconds = creator.authTime === undefined ? Number.POSITIVE_INFINITY : nowMs / 1_000 - creator.authTime;
  if (ageSeconds <= maxAgeSeconds + CLOCK_TOLERANCE_SECONDS && ageSeconds >= -CLOCK_TOLERANCE_SECONDS) {
    return;
  }
  const description = "A more recent sign-in is required.";
  throw new Problem("insufficient_user_authentication", description, {
    headers: {
      "WWW-Authenticate": `${REALM}, error="insufficient_user_authentication", error_description="${description}", max_age="${maxAgeSeconds}"`,
    },
  });
}
