// What the set-up in Node tells the tests in workerd: types only, since the two see different runtimes.

/** What the tests are told. */
export interface AnalyticsTestServices {
  readonly clickhouse: { readonly url: string; readonly username: string; readonly password: string };
  /** Answers by the database that is asked for: see `misbehaviours`. */
  readonly hostileUrl: string;
}

declare module "vitest" {
  interface ProvidedContext {
    analyticsServices: AnalyticsTestServices;
  }
}
