// What survives a reload of the tab, and nothing longer: sessionStorage, emptied when the tab closes or on sign-out.
import { nullable, number, object, text, type Shape, type Shaped } from "../live-client/shape.ts";

const tokensShape = object({
  accessToken: text(),
  refreshToken: nullable(text()),
  idToken: nullable(text()),
  /** Milliseconds since the Unix epoch. */
  receivedAt: number(),
  expiresAt: number(),
});
/** The tokens of one signed-in creator. */
export type Tokens = Shaped<typeof tokensShape>;

const signInShape = object({ state: text(), nonce: text(), verifier: text(), search: text() });
/** A sign-in on its way: what must come back unchanged, and the query to return to. */
export type SignInOnItsWay = Shaped<typeof signInShape>;

interface Entry<T> {
  read(): T | null;
  write(value: T | null): void;
}

/** Storage may be refused or hold anything; then the entry simply is not there and the session lasts until a reload. */
function entry<T>(key: string, shape: Shape<T>): Entry<T> {
  return {
    read() {
      try {
        return shape(JSON.parse(sessionStorage.getItem(key) ?? "null"), "");
      } catch {
        return null;
      }
    },
    write(value) {
      try {
        if (value === null) {
          sessionStorage.removeItem(key);
        } else {
          sessionStorage.setItem(key, JSON.stringify(value));
        }
      } catch {
        // Nothing is lost but the reload.
      }
    },
  };
}

/** The tokens in use. */
export const storedTokens = entry("creator-dashboard.tokens", tokensShape);
/** The sign-in on its way. */
export const storedSignIn = entry("creator-dashboard.sign-in", signInShape);
