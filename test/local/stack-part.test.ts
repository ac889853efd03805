// A process of the local stack: its death is told once, what it has left behind goes with it, and it can come back.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takenPorts } from "../../src/local/stack/addresses.ts";
import { Part, PartFailure, type PartOptions } from "../../src/local/stack/part.ts";

let folder: string;
let parts: Part[];
let failures: PartFailure[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "creator-dashboard-part-"));
  parts = [];
  failures = [];
});
afterEach(async () => {
  await Promise.all(parts.map((part) => part.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** A part that runs this program, ready at once unless told otherwise. */
function partOf(program: string, options: Partial<PartOptions> = {}): Part {
  const script = join(folder, "program.mjs");
  writeFileSync(script, program);
  const part = new Part(
    { name: "example", script, logs: folder, ready: () => Promise.resolve(true), ...options },
    (failure) => failures.push(failure),
  );
  parts.push(part);
  return part;
}

const STAYS = "setInterval(() => {}, 1_000);";
/** Has a helper that listens, as wrangler has workerd, and writes down the port. */
const HELPER = `
  import { createServer } from "node:net";
  import { renameSync, writeFileSync } from "node:fs";
  const server = createServer().listen(0, "127.0.0.1", () => {
    writeFileSync("draft", String(server.address().port));
    renameSync("draft", "port");
  });
`;
const WITH_HELPER = `
  import { spawn } from "node:child_process";
  spawn(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(HELPER)}], {
    stdio: "ignore",
    cwd: import.meta.dirname,
  });
  ${STAYS}
`;

test("a part that is killed is told of once, takes its helpers along, and can be started again", async () => {
  const port = join(folder, "port");
  let prepared = 0;
  const part = partOf(WITH_HELPER, {
    prepare: () => {
      prepared += 1;
      rmSync(port, { force: true });
    },
    ready: () => Promise.resolve(existsSync(port)),
  });
  await part.start();
  const { pid = 0 } = part;
  const held = Number(readFileSync(port, "utf8"));
  expect(await takenPorts([held])).toEqual([held]);

  process.kill(pid, "SIGKILL");

  await expect.poll(() => failures.map(({ message }) => message)).toEqual(["example ended unexpectedly (SIGKILL)"]);
  await expect.poll(() => takenPorts([held]), { message: "the helper outlived its part" }).toEqual([]);

  await part.start();

  expect(part.pid).not.toBe(pid);
  expect(prepared).toBe(2);
});

test("a part that ends while it starts fails the start, with this run's log only, and tells nobody else", async () => {
  writeFileSync(join(folder, "example.log"), "of an earlier run\n");
  const part = partOf("console.log('no database here'); process.exit(3);", { ready: () => Promise.resolve(false) });

  const failure = await part.start().catch((error: unknown) => error);

  expect(failure).toBeInstanceOf(PartFailure);
  expect(failure).toMatchObject({ part: "example", message: "example ended while starting", tail: "no database here" });
  expect(failures).toEqual([]);
});

test("a part that is stopped on purpose is no failure", async () => {
  const part = partOf(STAYS);
  await part.start();

  await part.stop();

  expect(part.pid).toBeUndefined();
  expect(failures).toEqual([]);
});
