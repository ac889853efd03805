// Raw HTTP to a bridge: unlike fetch, it can send a body with GET, which the contract has.
import { Agent, request } from "node:http";

/** An answer, with its JSON where it is JSON. */
export interface RestAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The parsed body. Typed as the caller says: tests look at what they expect, and fail where it is not there. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- stands for a cast at every use
  json<T = ErrorBody>(): T;
  ms: number;
}

/** The contract's error body. */
export interface ErrorBody {
  result: string;
  error: string;
  status: number;
}

/** A record as the contract gives it. */
export interface Message {
  topic: string;
  partition: number;
  offset: number;
  timestamp: number;
  key: string;
  value: string;
  headers: { key: string; value: string }[];
  valueBase64?: string | null;
}

/** What may be sent besides method and path. */
export interface RestOptions {
  /** Text and bytes are sent as they are, anything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** `name:password`; null sends no credentials. */
  login?: string | null;
  signal?: AbortSignal;
}

/** Sends requests to one bridge as one login. */
export function restClient(url: string, login: string) {
  const agent = new Agent({ keepAlive: true });
  const send = (method: string, path: string, options: RestOptions = {}): Promise<RestAnswer> => {
    const { body, signal } = options;
    const started = performance.now();
    const as = options.login === undefined ? login : options.login;
    const payload = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(`${url}${path}`, {
        method,
        agent,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          ...(as === null ? {} : { authorization: `Basic ${Buffer.from(as).toString("base64")}` }),
          ...(payload === undefined ? {} : { "content-length": String(Buffer.byteLength(payload)) }),
          ...options.headers,
        },
      });
      sent.on("error", reject);
      sent.on("response", (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("error", reject);
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text,
            // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as declared above
            json: <T>() => JSON.parse(text) as T,
            ms: performance.now() - started,
          });
        });
      });
      sent.end(payload);
    });
  };
  return {
    send,
    get: (path: string, options?: RestOptions) => send("GET", path, options),
    post: (path: string, body?: unknown, options?: RestOptions) => send("POST", path, { ...options, body }),
  };
}

export type RestClient = ReturnType<typeof restClient>;
