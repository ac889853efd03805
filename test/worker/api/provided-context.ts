// What the set-up in Node tells the tests in workerd: types only, since the two see different runtimes.
import type { JWK } from "jose";

/** What the tests are told. The signing keys are here because the tests are the issuer. */
export interface ApiTestServices {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly signingKeys: { readonly ES256: JWK; readonly RS256: JWK };
  readonly databaseUrl: string;
  readonly neonEndpoint: string;
}

declare module "vitest" {
  interface ProvidedContext {
    apiServices: ApiTestServices;
  }
}
