// `npm run --silent token -- --creator ID [--role creator] [--auth-age SECONDS] [--expires-in SECONDS]`
// prints an access token of the running local issuer. `--role` may be repeated; an empty one leaves the token without
// roles. `--expires-in=-60` makes a token that has expired. DEV_DATA names the stack's data folder.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { creatorIdSchema } from "../contract/ids.ts";
import { readIssuerKeys } from "./issuer/keys.ts";
import { type MintOptions, mintToken } from "./issuer/mint.ts";
import { seededCreators } from "./issuer/seeded-creators.ts";
import { defaultDataFolder, type StackNote, stackNoteSchema } from "./stack/data-folder.ts";

const USAGE =
  "Usage: npm run --silent token -- --creator ID [--role creator] [--auth-age SECONDS] [--expires-in SECONDS]";

/** A wrong option or a stack that is not there, as a sentence. */
class CannotMint extends Error {
  override readonly name = "CannotMint";
}

function readOptions(): MintOptions {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        creator: { type: "string" },
        role: { type: "string", multiple: true, default: ["creator"] },
        "auth-age": { type: "string", default: "0" },
        "expires-in": { type: "string", default: "3600" },
      },
    }));
  } catch (error) {
    throw new CannotMint(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
  const creatorId = creatorIdSchema.safeParse(values.creator);
  if (!creatorId.success) {
    throw new CannotMint(`--creator takes an id of 1 to 128 letters, digits and _ . : - only.\n${USAGE}`);
  }
  const authAgeSeconds = secondsOf("auth-age", values["auth-age"]);
  if (authAgeSeconds < 0) {
    throw new CannotMint(`--auth-age takes 0 or more seconds: nobody signs in in the future.\n${USAGE}`);
  }
  return {
    creatorId: creatorId.data,
    roles: values.role.filter((role) => role !== ""),
    authAgeSeconds,
    expiresInSeconds: secondsOf("expires-in", values["expires-in"]),
  };
}

function secondsOf(option: string, text: string): number {
  if (!/^-?\d{1,10}$/.test(text)) {
    throw new CannotMint(`--${option} takes a whole number of seconds, not "${text}".\n${USAGE}`);
  }
  return Number(text);
}

function readStackNote(): StackNote {
  const file = join(process.env["DEV_DATA"] ?? defaultDataFolder, "stack.json");
  let note: StackNote;
  try {
    note = stackNoteSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new CannotMint(`The local stack is not running (there is no ${file}): start it with npm run dev.`);
  }
  try {
    process.kill(note.pid, 0);
  } catch {
    throw new CannotMint(
      `The local stack is not running (it ended without tidying ${file}): start it with npm run dev.`,
    );
  }
  return note;
}

try {
  const options = readOptions();
  const note = readStackNote();
  const known = (await seededCreators()).find(({ creatorId }) => creatorId === options.creatorId);
  const keys = readIssuerKeys(join(note.dataFolder, "issuer"));
  console.log(await mintToken(note.issuerUrl, keys, { ...options, zoneinfo: known?.zoneinfo }));
} catch (error) {
  if (error instanceof CannotMint) {
    console.error(error.message);
  } else {
    console.error(error instanceof Error ? error.message : String(error));
  }
  process.exitCode = 1;
}
