// Builds the page into static assets: .build/dashboard. Same sources, same bytes. Assets carry a hash of their content
// in their name and may be cached for ever; a file that has not changed is not written again, so that a server
// watching the folder rests. Plain JavaScript: whatever Node runs wrangler runs this.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const source = dirname(fileURLToPath(import.meta.url));
const root = join(source, "..", "..");
const target = join(root, ".build", "dashboard");

// `require-trusted-types-for` closes the DOM's own ways to run a string as script. The page talks to its own origin
// and to the issuer, whose address it learns at run time; plain HTTP only to this very machine.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const headers = `/*
  Content-Security-Policy: ${policy}
  Cross-Origin-Opener-Policy: same-origin
  Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=()
  Referrer-Policy: no-referrer
  Strict-Transport-Security: max-age=31536000
  X-Content-Type-Options: nosniff
/assets/*
  Cache-Control: public, max-age=31536000, immutable
`;

/** The icons as one hidden sheet of symbols, so that the page can point at each by name. */
function iconSheet() {
  const symbols = readdirSync(join(source, "icons"))
    .filter((file) => file !== "favicon.svg")
    .toSorted()
    .map((file) =>
      readFileSync(join(source, "icons", file), "utf8")
        .trim()
        .replace(/^<svg xmlns="[^"]*"/, `<symbol id="icon-${basename(file, ".svg")}"`)
        .replace(/<\/svg>$/, "</symbol>"),
    );
  return `<svg class="sheet" aria-hidden="true">${symbols.join("")}</svg>`;
}

/** Builds run side by side (two servers, a test) and readers never see half a file. */
function write(path, content) {
  if (existsSync(path) && readFileSync(path).equals(Buffer.from(content))) {
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: [join(source, "main.tsx")],
  outdir: join(target, "assets"),
  entryNames: "[name]-[hash]",
  bundle: true,
  write: false,
  minify: true,
  legalComments: "none",
  format: "esm",
  target: ["chrome105", "firefox110", "safari16"],
  jsx: "automatic",
  jsxImportSource: "preact",
});
const favicon = readFileSync(join(source, "icons", "favicon.svg"));
const faviconName = `favicon-${createHash("sha256").update(favicon).digest("hex").slice(0, 8)}.svg`;
const assets = new Map([
  ...outputFiles.map(({ path, contents }) => [basename(path), contents]),
  [faviconName, favicon],
]);
const urlOf = (extension) => `/assets/${[...assets.keys()].find((name) => name.endsWith(extension))}`;

const page = readFileSync(join(source, "index.html"), "utf8")
  .replace("{{script}}", urlOf(".js"))
  .replace("{{style}}", urlOf(".css"))
  .replace("{{favicon}}", `/assets/${faviconName}`)
  .replace("{{icons}}", iconSheet());

// Assets before the page that names them; what no page names any more last.
for (const [name, content] of assets) {
  write(join(target, "assets", name), content);
}
write(join(target, "_headers"), headers);
write(join(target, "index.html"), page);
for (const name of readdirSync(join(target, "assets"))) {
  if (!assets.has(name)) {
    rmSync(join(target, "assets", name), { force: true });
  }
}
if (process.argv.includes("--list")) {
  for (const [name, content] of assets) {
    process.stdout.write(`${relative(root, join(target, "assets", name))} ${content.length}\n`);
  }
}
