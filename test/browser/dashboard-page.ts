// A browser with the dashboard open on a fake service, and everything it complained about.
import { createRequire } from "node:module";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { FakeService } from "./service.ts";

const root = join(import.meta.dirname, "..", "..");

/** A phone as most creators hold it. */
export const PHONE = { width: 360, height: 800 };
/** A laptop. */
export const LAPTOP = { width: 1_280, height: 800 };

/** Builds the page as wrangler does. */
export function buildPage(): void {
  const { status, stderr } = spawnSync(process.execPath, ["src/dashboard/build.mjs"], { cwd: root, encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`The page could not be built:\n${stderr}`);
  }
}

/** One dashboard, its service, and the browser's complaints: console errors, violations of the policy, exceptions. */
export class Dashboard {
  readonly page: Page;
  readonly service: FakeService;
  readonly complaints: string[];

  private constructor(page: Page, service: FakeService, complaints: string[]) {
    this.page = page;
    this.service = service;
    this.complaints = complaints;
  }

  /** Opens the signed-out page. */
  static async open(browser: Browser, options: BrowserContextOptions = {}): Promise<Dashboard> {
    const service = new FakeService();
    await service.start();
    const context = await browser.newContext({ viewport: PHONE, locale: "en-NG", reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        complaints.push(message.text());
      }
    });
    await page.goto(service.origin);
    return new Dashboard(page, service, complaints);
  }

  /** Signs in and waits for the overview. */
  async signIn(): Promise<void> {
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.getByRole("heading", { name: "Right now" }).waitFor();
  }

  /** Rules of WCAG 2.2 AA and best practice that the page breaks, as axe-core sees it. */
  async accessibilityFaults(): Promise<string[]> {
    // The page's policy forbids inline scripts; the debugger's own evaluation is not subject to it.
    const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
    const { readFileSync } = await import("node:fs");
    await this.page.evaluate(readFileSync(axe, "utf8"));
    return this.page.evaluate(async () => {
      interface Axe {
        run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
      }
      const { axe: checker } = globalThis as unknown as { axe: Axe }; // axe-core defines it
      const { violations } = await checker.run();
      return violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ""}`),
      );
    });
  }

  /** Closes page and service. */
  async close(): Promise<void> {
    await this.page.context().close();
    await this.service.stop();
  }
}
