// RFC 9457 problem details: the one table of codes, and the body's shape.
import { z } from "zod";

/** Every error code a client can meet, with its HTTP status and title. */
export const problemCodes = {
  invalid_parameter: { status: 400, title: "Invalid parameter" },
  unauthenticated: { status: 401, title: "Authentication required" },
  insufficient_user_authentication: { status: 401, title: "A more recent sign-in is required" },
  forbidden: { status: 403, title: "Not allowed" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  conflict: { status: 409, title: "Conflict" },
  precondition_failed: { status: 412, title: "Precondition failed" },
  too_large: { status: 413, title: "Content too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  unprocessable: { status: 422, title: "Unprocessable content" },
  upgrade_required: { status: 426, title: "Upgrade required" },
  precondition_required: { status: 428, title: "Precondition required" },
  rate_limited: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Internal error" },
  analytics_unavailable: { status: 503, title: "Analytics are unavailable" },
  storage_unavailable: { status: 503, title: "Storage is unavailable" },
  authentication_unavailable: { status: 503, title: "Sign-ins cannot be checked" },
} as const;
export type ProblemCode = keyof typeof problemCodes;

/** The body of `application/problem+json`. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(Object.keys(problemCodes) as [ProblemCode, ...ProblemCode[]]),
  detail: z.string(),
  errors: z.array(z.object({ parameter: z.string(), message: z.string() })).optional(),
  requestId: z.string(),
});
export type ProblemBody = z.infer<typeof problemSchema>;
