// What the build gives: small, the same every time, and safe to cache.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { buildPage } from "./dashboard-page.ts";

const target = join(import.meta.dirname, "..", "..", ".build", "dashboard");

/** The page's whole script, compressed: what a phone on a slow network waits for. */
const MOST_SCRIPT_BYTES = 60_000;

function files(): Map<string, string> {
  const names = readdirSync(target, { recursive: true, encoding: "utf8" }).toSorted();
  return new Map(
    names
      .filter((name) => statSync(join(target, name)).isFile())
      .map((name) => [name, readFileSync(join(target, name), "utf8")]),
  );
}

beforeAll(buildPage);

test("the script weighs less than 60 kB compressed", () => {
  const scripts = [...files()].filter(([name]) => name.endsWith(".js"));
  const bytes = scripts.reduce((sum, [, content]) => sum + gzipSync(content, { level: 9 }).length, 0);

  expect(scripts).toHaveLength(1);
  expect(bytes).toBeLessThan(MOST_SCRIPT_BYTES);
});

test("building again gives the same bytes and writes nothing", () => {
  const before = files();
  const written = statSync(join(target, "index.html")).mtimeMs;

  buildPage();

  expect(files()).toEqual(before);
  expect(statSync(join(target, "index.html")).mtimeMs).toBe(written);
});

test("assets of an earlier build do not stay", () => {
  writeFileSync(join(target, "assets", "main-OLD.js"), "");

  buildPage();

  expect([...files().keys()]).not.toContain(join("assets", "main-OLD.js"));
});

test("the page names only its own files, by hashed names, and has no inline script or style", () => {
  const page = files().get("index.html") ?? "";
  const named = [...page.matchAll(/(?:src|href)="([^"#][^"]*)"/g)].map(([, address]) => address ?? "");

  expect(named).toHaveLength(3);
  for (const address of named) {
    expect(address).toMatch(/^\/assets\/(main|favicon)-[A-Za-z0-9]{8}\.(js|css|svg)$/);
    expect([...files().keys()]).toContain(address.slice(1));
  }
  expect(page).not.toMatch(/<style|style=|<script(?! type="module" src=)|\son\w+=/);
});

test("the headers forbid every foreign or inline script and let hashed assets be kept", () => {
  const headers = files().get("_headers") ?? "";

  expect(headers).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
  expect(headers).toContain("frame-ancestors 'none'");
  expect(headers).not.toContain("unsafe");
  expect(headers).toMatch(/\/assets\/\*\n {2}Cache-Control: public, max-age=31536000, immutable/);
});
