// The API's app at the seed's instant, with each database where a test wants it.
import { env } from "cloudflare:workers";
import { createExecutionContext } from "cloudflare:test";
import { inject } from "vitest";
import { createApp } from "../../../src/api/app.ts";
import { createCatalogue, DEMO_CREATOR_ID, type SeedCreator } from "../../../src/local/seed/catalogue.ts";
import { createLog } from "../../../src/runtime/log.ts";
import { tokenOf } from "../api/http-tokens.ts";
import { SEEDED_AT } from "./seeded-at.ts";

/** Nobody listens on the discard port. */
const NOBODY = "127.0.0.1:9";

/** Variables under which a database is not there. */
export const withoutPostgres = { NEON_ENDPOINT: `http://${NOBODY}/sql` };
export const withoutClickHouse = { CLICKHOUSE_URL: `http://${NOBODY}` };
/** Variables under which ClickHouse is a server that misbehaves in one of the set-up's ways. */
export const withHostile = (misbehaviour: string) => ({
  CLICKHOUSE_URL: inject("analyticsServices").hostileUrl,
  CLICKHOUSE_DATABASE: misbehaviour,
});

/** Lines that the app logged since a test emptied it. */
export const logged: string[] = [];
const log = createLog({}, (line) => logged.push(line));

/** The app, which keeps what it learns of its databases for as long as it is used. */
export function openApp(variables: Record<string, string> = {}, nowMs: () => number = () => SEEDED_AT) {
  const app = createApp({ clock: { now: nowMs }, log });
  const bindings = { ...env, ...variables };
  return async (path: string, creatorId: string = DEMO_CREATOR_ID, claims: Record<string, unknown> = {}) => {
    const issuedAt = Math.floor(SEEDED_AT / 1_000);
    const token = await tokenOf(creatorId, { iat: issuedAt, exp: issuedAt + 600, auth_time: issuedAt, ...claims });
    const request = new Request(`https://api.test/api/v1/creator/analytics/${path}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    return app.fetch(request, bindings, createExecutionContext());
  };
}

/** A JSON answer, whatever its status. */
export function bodyOf(response: Response): Promise<Record<string, unknown>> {
  return response.json();
}

const creators = createCatalogue("small", SEEDED_AT);

/** A creator of the seed; 1 is the demo creator. */
export function creatorNo(wanted: number): SeedCreator {
  const creator = creators.find((its) => its.creatorNo === wanted);
  if (creator === undefined) {
    throw new Error(`the seed has no creator ${wanted}`);
  }
  return creator;
}
