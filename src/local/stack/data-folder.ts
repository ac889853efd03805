// The folder that holds everything the local stack keeps: one holder at a time, secrets of its own, and a note of where
// the running stack is, for commands such as `npm run token`.
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { CLAIM_FILE, claimDataFolder } from "../data-folder.ts";

/** A reason not to start, as a sentence that says what to do. */
export class CannotStart extends Error {
  override readonly name = "CannotStart";
}

/** What the running stack tells other commands. Written when it is ready, removed when it stops. */
export const stackNoteSchema = z.object({
  pid: z.number().int(),
  dataFolder: z.string(),
  dashboardUrl: z.url(),
  apiUrl: z.url(),
  consumerUrl: z.url(),
  issuerUrl: z.url(),
  kafkaRestUrl: z.url(),
  kafkaRestUsername: z.string(),
  kafkaRestPassword: z.string(),
  adminToken: z.string(),
  demoCreatorId: z.string(),
});
export type StackNote = z.infer<typeof stackNoteSchema>;

const secretsSchema = z.object({
  postgres: z.string().min(16),
  clickhouseWriter: z.string().min(16),
  clickhouseReader: z.string().min(16),
  kafkaReader: z.string().min(16),
  kafkaDeveloper: z.string().min(16),
  adminToken: z.string().min(16),
});
/** Passwords of the embedded parts, made once for a data folder. */
export type Secrets = z.infer<typeof secretsSchema>;

/** The folder a stack uses unless told otherwise. */
export const defaultDataFolder = join(".data", "dev");

/**
 * Takes the folder for this process.
 * @param reset throws away what it holds
 * @returns a function that gives it back
 * @throws {CannotStart} while another process holds it, or when it cannot be written
 */
export function takeDataFolder(folder: string, reset: boolean): () => void {
  const release = claim(folder);
  if (reset) {
    for (const entry of readdirSync(folder).filter((name) => name !== CLAIM_FILE)) {
      rmSync(join(folder, entry), { recursive: true, force: true });
    }
  }
  return () => {
    rmSync(join(folder, "stack.json"), { force: true });
    release();
  };
}

function claim(folder: string): () => void {
  try {
    return claimDataFolder(folder);
  } catch (error) {
    throw new CannotStart(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

const secret = () => randomBytes(18).toString("base64url");

/** The folder's passwords, made at random when there are none yet. */
export function secretsOf(folder: string): Secrets {
  const file = join(folder, "secrets.json");
  if (!existsSync(file)) {
    const made: Secrets = {
      postgres: secret(),
      clickhouseWriter: secret(),
      clickhouseReader: secret(),
      kafkaReader: secret(),
      kafkaDeveloper: secret(),
      adminToken: secret(),
    };
    writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  }
  try {
    return secretsSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new CannotStart(`${file} cannot be read: start with fresh data by npm run dev -- --reset.`);
  }
}

/** Tells other commands where the stack is. */
export function writeStackNote(folder: string, note: StackNote): void {
  writeFileSync(join(folder, "stack.json"), `${JSON.stringify(note, null, 2)}\n`, { mode: 0o600 });
}
