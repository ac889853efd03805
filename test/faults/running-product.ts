// The whole product as processes, in a temporary folder and on free ports: what a fault run plays on.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { sourceSchema } from "../../src/contract/ids.ts";
import { mintToken } from "../../src/local/issuer/mint.ts";
import { readIssuerKeys } from "../../src/local/issuer/keys.ts";
import { portsFrom, takenPorts } from "../../src/local/stack/addresses.ts";
import type { Part } from "../../src/local/stack/part.ts";
import { type PartName, type Stack, startStack } from "../../src/local/stack/stack.ts";

/** Ports of the first try; a run beside another takes later ones. */
const FIRST_PORT = 19_787;
const LAST_PORT = 20_387;
/** An admin call may wait for every reader's answer; a Worker that was just killed gives none. */
const ADMIN_DEADLINE_MS = 10_000;

const statusSchema = z.looseObject({ readers: z.array(z.looseObject({ source: sourceSchema })) });
const lettersSchema = z.object({
  items: z.array(z.looseObject({ id: z.number().int(), reason: z.string(), value: z.string() })),
});

/** A dead letter as the consumer lists it. */
export type DeadLetter = z.infer<typeof lettersSchema>["items"][number];

/** The running product. */
export class RunningProduct {
  readonly folder: string;
  readonly #stack: Stack;
  /** What ended though nobody killed it. */
  readonly unexpected: readonly string[];

  constructor(folder: string, stack: Stack, unexpected: readonly string[]) {
    this.folder = folder;
    this.#stack = stack;
    this.unexpected = unexpected;
  }

  get note(): Stack["note"] {
    return this.#stack.note;
  }

  /** @throws RangeError when the stack has no such process */
  part(name: PartName): Part {
    const part = this.#stack.parts.get(name);
    if (part === undefined) {
      throw new RangeError(`the stack has no ${name}`);
    }
    return part;
  }

  token(creatorId: string): Promise<string> {
    const keys = readIssuerKeys(join(this.folder, "issuer"));
    return mintToken(this.note.issuerUrl, keys, { creatorId, expiresInSeconds: 4 * 3_600 });
  }

  /** Every reader's report and the watch list's, as the admin route gives them. */
  async status(): Promise<z.infer<typeof statusSchema>> {
    return statusSchema.parse(await this.#admin("status"));
  }

  /** Aborts a reader's object, wherever it is in its work. */
  async restartReader(source: string): Promise<void> {
    await this.#admin("readers/restart", { source });
  }

  /** All that a reader has set aside. */
  async deadLetters(source: string): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    for (;;) {
      const query = new URLSearchParams({ source, after: String(letters.at(-1)?.id ?? 0) });
      const { items } = lettersSchema.parse(await this.#admin(`dead-letters?${query.toString()}`));
      if (items.length === 0) {
        return letters;
      }
      letters.push(...items);
    }
  }

  async #admin(path: string, body?: object): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.note.adminToken}`, "content-type": "application/json" };
    const response = await fetch(`${this.note.consumerUrl}/admin/${path}`, {
      headers,
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ADMIN_DEADLINE_MS),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${path} answered ${response.status}: ${text.slice(0, 300)}`);
    }
    return JSON.parse(text);
  }

  /** @param keep leaves data and log files for whoever looks into a failure */
  async stop({ keep }: { keep: boolean }): Promise<void> {
    await this.#stack.stop();
    if (!keep) {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/** Starts the product with the small seed and without traffic of its own. */
export async function startRunningProduct(): Promise<RunningProduct> {
  const folder = mkdtempSync(join(tmpdir(), "creator-dashboard-faults-"));
  const unexpected: string[] = [];
  const stack = await startStack({
    dataFolder: folder,
    port: await freePort(),
    reset: false,
    traffic: false,
    seed: "small",
    environment: {},
    progress: () => undefined,
    onPartFailure: ({ message, tail }) => unexpected.push(`${message}\n${tail}`),
  });
  return new RunningProduct(folder, stack, unexpected);
}

async function freePort(): Promise<number> {
  for (let port = FIRST_PORT; port <= LAST_PORT; port += 10) {
    if ((await takenPorts(Object.values(portsFrom(port)))).length === 0) {
      return port;
    }
  }
  throw new Error(`no six free ports in a row between ${FIRST_PORT} and ${LAST_PORT}`);
}
