// What the page must know before anything else: where to sign in, where the live socket is, which zone to fall back to.
import { object, text, type Shaped } from "../live-client/shape.ts";

const configShape = object({
  issuer: text((value) => URL.canParse(value), "the issuer's address"),
  clientId: text((value) => value !== "", "a client id"),
  audience: text(),
  socketPath: text((value) => value.startsWith("/"), "a path"),
  defaultTimeZone: text(isTimeZone, "an IANA time zone"),
});

/** The answer of `GET /config.json`. */
export type Config = Shaped<typeof configShape>;

/** Reads the configuration; throws when it cannot be had or makes no sense. */
export async function readConfig(): Promise<Config> {
  const response = await fetch("/config.json", { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) {
    throw new Error(`The configuration answered ${response.status}.`);
  }
  return configShape(await response.json(), "");
}

/** Whether this browser can show times in that zone. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
