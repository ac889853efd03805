// Who a socket belongs to, as the API Worker verified it, on its way to the hub in headers of our own.
import { z } from "zod";
import { creatorIdSchema } from "../contract/ids.ts";

const CREATOR_HEADER = "x-live-creator-id";
const EXPIRES_HEADER = "x-live-token-expires-at";

/** The verified owner of a socket. `tokenExpiresAt` is the token's `exp`: seconds since the Unix epoch. */
export const liveIdentitySchema = z.object({
  creatorId: creatorIdSchema,
  tokenExpiresAt: z.number().int().min(0),
});
export type LiveIdentity = z.infer<typeof liveIdentitySchema>;

/** The headers that carry an identity to a hub. Setting them replaces whatever a client sent under their names. */
export function identityHeaders(identity: LiveIdentity): [name: string, value: string][] {
  return [
    [CREATOR_HEADER, identity.creatorId],
    [EXPIRES_HEADER, String(identity.tokenExpiresAt)],
  ];
}

/** The identity in a hub's request; null where it is missing or malformed. */
export function readIdentity(headers: Headers): LiveIdentity | null {
  const expires = headers.get(EXPIRES_HEADER);
  const identity = {
    creatorId: headers.get(CREATOR_HEADER),
    tokenExpiresAt: expires === null ? null : Number(expires),
  };
  return liveIdentitySchema.safeParse(identity).data ?? null;
}
