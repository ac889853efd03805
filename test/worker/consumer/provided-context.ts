// What the consumer's tests in workerd get from their set-up in Node.

/** The bridge that the tests' readers read, on an embedded log. */
export interface ConsumerTestServices {
  readonly kafkaRestUrl: string;
  readonly kafkaRestPassword: string;
}

declare module "vitest" {
  interface ProvidedContext {
    consumerServices: ConsumerTestServices;
  }
}
