// Who may do what: HTTP Basic credentials, each with the topics and verbs it may use.
import { hash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { BridgeError } from "./errors.ts";

/** What a credential may do; `metadata` is topics, offsets, committed, consumers and metrics. */
export const verbs = ["produce", "fetch", "consume", "commit", "metadata"] as const;
export type Verb = (typeof verbs)[number];

/**
 * One login. `topics` are exact names, or beginnings of names followed by `*`. Printable ASCII only: the stock client's
 * own base64 breaks on anything else, and a colon ends the name in HTTP Basic.
 */
export const credentialSchema = z.strictObject(
  {
    username: z.string().regex(/^[\x21-\x39\x3b-\x7e]{1,128}$/, "1 to 128 printable ASCII characters, no colon"),
    password: z.string().regex(/^[\x20-\x7e]{8,256}$/, "8 to 256 printable ASCII characters"),
    topics: z.array(z.string().min(1)).default(["*"]),
    verbs: z.array(z.enum(verbs)).default([...verbs]),
  },
  // The default would print the name, which may be a password in the wrong place.
  { error: ({ code }) => (code === "unrecognized_keys" ? "only username, password, topics and verbs" : undefined) },
);
export type Credential = z.infer<typeof credentialSchema>;
/** A credential as configured: topics and verbs left out mean all. */
export type CredentialInput = z.input<typeof credentialSchema>;

/** The permissions of whoever sent a request. */
export interface Caller {
  username: string;
  /** Throws a 403 unless the verb may be used on every one of the topics. */
  require(verb: Verb, topics?: readonly string[]): void;
  mayUse(topic: string): boolean;
}

/** What a request says of who sent it. */
export interface Claim {
  username: string;
  password: string;
}

/** Finds the caller of a claim. Throws a 401 for a wrong one, and for none. */
export type Authenticate = (claim: Claim | undefined) => Caller;

/** Makes the check of a fixed list of credentials; its time does not tell which part of a guess was right. */
export function createAuthenticator(credentials: readonly CredentialInput[]): Authenticate {
  const known = credentials.map((input) => {
    const credential = credentialSchema.parse(input);
    return { digest: digestOf(credential.username, credential.password), caller: callerOf(credential) };
  });
  return (claim) => {
    if (claim === undefined) {
      throw new BridgeError(401, "Unauthorized: HTTP Basic credentials are needed");
    }
    const digest = digestOf(claim.username, claim.password);
    // Every credential is compared, and digests have one length: no early end to measure.
    const found = known.filter((each) => timingSafeEqual(each.digest, digest));
    if (found[0] === undefined) {
      throw new BridgeError(401, "Unauthorized: wrong username or password");
    }
    return found[0].caller;
  };
}

/** The claim of an `Authorization` header (RFC 7617); undefined without one, or of another scheme. */
export function readBasic(header: string | undefined): Claim | undefined {
  const match = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? "");
  const pair = Buffer.from(match?.[1] ?? "", "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? undefined : { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

function digestOf(username: string, password: string): Buffer {
  return hash("sha256", `${username}:${password}`, "buffer");
}

function callerOf({ username, topics, verbs: allowed }: Credential): Caller {
  const mayUse = (topic: string) =>
    topics.some((pattern) => (pattern.endsWith("*") ? topic.startsWith(pattern.slice(0, -1)) : topic === pattern));
  return {
    username,
    mayUse,
    require: (verb, wanted = []) => {
      if (!allowed.includes(verb)) {
        throw new BridgeError(403, `Forbidden: ${username} may not ${verb}`);
      }
      const refused = wanted.find((topic) => !mayUse(topic));
      if (refused !== undefined) {
        throw new BridgeError(403, `Forbidden: ${username} may not use topic ${refused.slice(0, 249)}`);
      }
    },
  };
}
