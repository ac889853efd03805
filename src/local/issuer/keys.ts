// The issuer's secrets, made once for a data folder: tokens and sign-ins stay good over restarts.
import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { z } from "zod";

const keysSchema = z.object({
  /** Private, ES256. */
  signing: z.object({
    kty: z.literal("EC"),
    crv: z.literal("P-256"),
    x: z.string(),
    y: z.string(),
    d: z.string(),
    kid: z.string(),
    alg: z.literal("ES256"),
    use: z.literal("sig"),
  }),
  /** Signs cookies. */
  cookie: z.string().min(32),
});

/** The signing key as a JWK, and the cookies' secret. */
export type IssuerKeys = z.infer<typeof keysSchema>;

/**
 * Reads the keys of a folder.
 * @throws Error with a sentence when there are none or they cannot be read
 */
export function readIssuerKeys(folder: string): IssuerKeys {
  const file = fileIn(folder);
  try {
    return keysSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new Error(`The issuer's keys in ${file} cannot be read.`, { cause: error });
  }
}

/** Makes new keys. Written whole or not at all, and for this user only. */
export async function createIssuerKeys(folder: string): Promise<void> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  const keys = {
    signing: { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "ES256", use: "sig" },
    cookie: randomBytes(32).toString("base64url"),
  };
  const file = fileIn(folder);
  writeFileSync(`${file}.new`, JSON.stringify(keys), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function fileIn(folder: string): string {
  return join(folder, "keys.json");
}
