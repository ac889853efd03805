// Checks a password against the verifier that Postgres keeps for a role (RFC 5802, RFC 7677, as in pg_authid).
import { createHash, createHmac, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

/** Iterations, salt and stored key of `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. */
const VERIFIER = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/;

/** Whether the password is the verifier's; false too for a verifier of another kind. */
export async function matchesScramVerifier(password: string, verifier: string): Promise<boolean> {
  const [, iterations, salt, storedKey] = VERIFIER.exec(verifier) ?? [];
  if (iterations === undefined || salt === undefined || storedKey === undefined) {
    return false;
  }
  const salted = await derive(password, Buffer.from(salt, "base64"), Number(iterations), 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const computed = createHash("sha256").update(clientKey).digest();
  const stored = Buffer.from(storedKey, "base64");
  return stored.length === computed.length && timingSafeEqual(stored, computed);
}
