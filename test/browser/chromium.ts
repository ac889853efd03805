// A real browser for the tests without installing one: @sparticuz/chromium carries a packed headless Chromium for
// Linux x64 with a font; elsewhere an installed Chrome or Chromium is used.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const packageFolder = join(root, "node_modules", "@sparticuz", "chromium");

/** Usual places of an installed browser. */
const installed = [
  process.env["CHROME_PATH"],
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/usr/bin/google-chrome",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
];

/** Starts the browser; its profile is its own and ends with it. */
export async function launchBrowser(): Promise<Browser> {
  const { executablePath, env } = await browserBinary();
  return chromium.launch({
    executablePath,
    env: { ...process.env, ...env },
    // Containers run as root, where Chromium's sandbox cannot; the tests open their own pages only.
    args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"],
  });
}

async function browserBinary(): Promise<{ executablePath: string; env: Record<string, string> }> {
  if (process.platform === "linux" && process.arch === "x64") {
    return unpacked();
  }
  const executablePath = installed.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) {
    throw new Error("The browser tests need Chrome or Chromium on this machine: install one, or set CHROME_PATH.");
  }
  return { executablePath, env: {} };
}

/**
 * Unpacks once per version of the package, into the project's own data folder. The package would unpack to the shared
 * temporary folder and take a half-written file there for a whole one.
 */
async function unpacked(): Promise<{ executablePath: string; env: Record<string, string> }> {
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string };
  const folder = join(root, ".data", "browser", version);
  if (!existsSync(folder)) {
    await unpackTo(folder);
  }
  const executablePath = join(folder, "chromium");
  const env: Record<string, string> = { FONTCONFIG_PATH: join(folder, "fonts") };
  // The package brings the libraries that a bare machine lacks (NSS and its kin); the machine's own are preferred.
  if (execFileSync("ldd", [executablePath], { encoding: "utf8" }).includes("not found")) {
    env["LD_LIBRARY_PATH"] = [join(folder, "al2023", "lib"), process.env["LD_LIBRARY_PATH"] ?? ""].join(":");
  }
  return { executablePath, env };
}

async function unpackTo(folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = draft; // where the package unpacks to
  try {
    const { inflate } = await import("@sparticuz/chromium");
    for (const archive of ["chromium.br", "fonts.tar.br", "al2023.tar.br"]) {
      await inflate(join(packageFolder, "bin", archive));
    }
    writeFileSync(join(draft, "fonts", "fonts.conf"), fontConfiguration(folder));
    try {
      renameSync(draft, folder);
    } catch (error) {
      // Another test run was faster; its folder is as good.
      if (!existsSync(folder)) {
        throw error;
      }
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
    if (before === undefined) {
      delete process.env["TMPDIR"];
    } else {
      process.env["TMPDIR"] = before;
    }
  }
}

/** The package's own configuration names folders of another place. */
function fontConfiguration(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, "fonts")}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(folder, "font-cache")}</cachedir>
</fontconfig>
`;
}
