// A client of the API Worker under test, and the database behind it for arranging what the other services own.
import { exports } from "cloudflare:workers";
import { neon, neonConfig } from "@neondatabase/serverless";
import { inject } from "vitest";
import { problemSchema, type ProblemBody } from "../../../src/contract/problem.ts";

/** The origin that the Worker under test allows. */
export const ALLOWED_ORIGIN = "https://dashboard.test";

let creators = 0;

/** A creator nobody else uses: the database is shared by all tests of a run. */
export function newCreator(): string {
  creators += 1;
  return `creator_${crypto.randomUUID().slice(0, 8)}_${creators}`;
}

/** A request to the Worker, with a bearer token where one is given. */
export function call(path: string, token?: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token !== undefined) {
    headers.set("Authorization", `Bearer ${token}`);
  }
  return exports.default.fetch(`https://api.test${path}`, { ...init, headers });
}

/** The problem that a response must be. */
export async function problemIn(response: Response): Promise<ProblemBody> {
  const type = response.headers.get("Content-Type");
  const text = await response.text();
  if (type !== "application/problem+json") {
    throw new Error(`expected a problem, got ${response.status} ${type}: ${text}`);
  }
  return problemSchema.parse(JSON.parse(text));
}

/** Runs SQL as the database's owner. */
export function asOwner(text: string, parameters: unknown[] = []): Promise<Record<string, unknown>[]> {
  const { databaseUrl, neonEndpoint } = inject("apiServices");
  neonConfig.fetchEndpoint = neonEndpoint;
  return neon(databaseUrl).query(text, parameters);
}
