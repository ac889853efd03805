// Writes to the log as a careful producer does: a request whose outcome is unknown is sent again, unchanged, until the
// bridge has acknowledged it.
import { setTimeout } from "node:timers/promises";
import { z } from "zod";

/** One record to write. */
export interface LogEntry {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
}

const REQUEST_DEADLINE_MS = 5_000;
const RETRY_MS = 100;
/** No outage of a run comes near: the bridge starts within a few seconds. */
const LONGEST_OUTAGE_MS = 90_000;

const answerSchema = z.array(z.object({ offset: z.number().int() }));

/** A producer that counts how often it had to try again. */
export class LogWriter {
  readonly #url: string;
  readonly #authorization: string;
  #retries = 0;

  constructor(bridge: { url: string; username: string; password: string }) {
    this.#url = `${bridge.url}/produce`;
    this.#authorization = `Basic ${Buffer.from(`${bridge.username}:${bridge.password}`).toString("base64")}`;
  }

  get retries(): number {
    return this.#retries;
  }

  /**
   * Resolves when every entry is in the log, perhaps more than once.
   * @throws Error when the bridge refuses them, or is away for longer than any outage of a run
   */
  async write(entries: readonly LogEntry[]): Promise<void> {
    const body = JSON.stringify(entries);
    for (const deadline = Date.now() + LONGEST_OUTAGE_MS; !(await this.#isAcknowledged(body, entries.length));) {
      if (Date.now() > deadline) {
        throw new Error(`the bridge has acknowledged nothing for ${LONGEST_OUTAGE_MS / 1_000} s`);
      }
      this.#retries += 1;
      await setTimeout(RETRY_MS);
    }
  }

  async #isAcknowledged(body: string, count: number): Promise<boolean> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#url, {
        method: "POST",
        headers: { authorization: this.#authorization, "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
      });
      text = await response.text();
    } catch {
      // The bridge was killed before, during or after its work: nobody knows which.
      return false;
    }
    if (response.status >= 400 && response.status < 500) {
      throw new Error(`the bridge refuses what is produced: ${response.status} ${text.slice(0, 300)}`);
    }
    return response.ok && answerSchema.parse(JSON.parse(text)).length === count;
  }
}
