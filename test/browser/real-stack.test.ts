// The whole product as one command starts it, used in a real browser: sign-in at the real issuer, numbers out of the
// real engines and the real log, and a consumer that dies and comes back.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { z } from "zod";
import { overviewAnswerSchema } from "../../src/contract/analytics.ts";
import { type Part, type PartFailure } from "../../src/local/stack/part.ts";
import { type Stack, startStack } from "../../src/local/stack/stack.ts";
import { launchBrowser } from "./chromium.ts";
import { LAPTOP } from "./dashboard-page.ts";

/** Far from `npm run dev` and the benchmarks. */
const PORT = 19_600;
/** Live numbers that have not been heard of for this long must say so; a moment more for the browser. */
const STALE_WITHIN_MS = 15_000;

const folder = mkdtempSync(join(tmpdir(), "creator-dashboard-browser-"));
const failures: PartFailure[] = [];
const complaints: string[] = [];
let stack: Stack;
let browser: Browser;
let page: Page;
/** What the API answered when the page last asked for its overview: a payment makes it ask again. */
let answer: z.infer<typeof overviewAnswerSchema>;
let loads = 0;

beforeAll(async () => {
  stack = await startStack({
    dataFolder: folder,
    port: PORT,
    reset: false,
    traffic: true,
    seed: "small",
    environment: {},
    progress: () => undefined,
    onPartFailure: (failure) => failures.push(failure),
  });
  browser = await launchBrowser();
  page = await browser.newPage({ viewport: LAPTOP, locale: "en-NG" });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      complaints.push(message.text());
    }
  });
  page.on("response", (response) => {
    if (response.url().includes("/analytics/overview")) {
      void response.json().then((body) => (answer = overviewAnswerSchema.parse(body)));
    }
  });
  await signIn();
  page.on("load", () => (loads += 1));
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** As a person does: the button, a creator on the issuer's page, and back. */
async function signIn(): Promise<void> {
  const { dashboardUrl, issuerUrl, demoCreatorId } = stack.note;
  await page.goto(dashboardUrl);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.origin === issuerUrl);
  await page.getByRole("button", { name: demoCreatorId }).click();
  await page.locator(".chart canvas").waitFor();
}

/** The number that a total's card shows, whatever its unit. */
async function totalShown(label: string): Promise<number> {
  const card = page.locator(".figure", { has: page.getByText(label, { exact: true }) });
  const text = await card.locator(".figure-value").innerText();
  return Number(text.replaceAll(/[^\d-]/g, ""));
}

const livePanel = () => page.getByRole("region", { name: "Right now" });

/** The live panel's count of views. */
async function liveViews(): Promise<number> {
  const text = await livePanel().locator(".counters > div", { hasText: "Views" }).locator("dd").innerText();
  return Number(text.replaceAll(",", ""));
}

/** Waits until the live panel shows that state in its badge. */
async function seeStanding(label: string, timeout: number): Promise<void> {
  await page.locator(".standing", { hasText: label }).waitFor({ timeout });
}

function consumer(): Part {
  const part = stack.parts.get("consumer");
  if (part === undefined) {
    throw new Error("the stack has no consumer");
  }
  return part;
}

/** The totals on the page. */
async function totalsShown() {
  const money = await page.getByRole("region", { name: "Revenue" }).locator("dd").allInnerTexts();
  return {
    views: await totalShown("Views"),
    likes: await totalShown("Likes"),
    shares: await totalShown("Shares"),
    completions: await totalShown("Completions"),
    watchHours: await totalShown("Watch time"),
    subscribers: await totalShown("Subscribers"),
    money: money.map((text) => text.replaceAll(/\D/g, "").replace(/^0+(?=\d)/, "")),
  };
}

/** The same as the API answered them. */
function totalsAnswered(): Awaited<ReturnType<typeof totalsShown>> {
  const { views, likes, shares, completions, watchTimeSeconds, subscribers, revenue } = answer.totals;
  const amounts = (revenue.amounts ?? []).flatMap((of) => [of.paidMinor, of.finalMinor, of.estimatedMinor]);
  return {
    views: views ?? Number.NaN,
    likes: likes ?? Number.NaN,
    shares: shares ?? Number.NaN,
    completions: completions ?? Number.NaN,
    watchHours: Math.floor((watchTimeSeconds ?? Number.NaN) / 3_600),
    subscribers: subscribers.net ?? Number.NaN,
    money: amounts,
  };
}

test("the overview shows the totals that the API answered, none of them zero", async () => {
  await vi.waitFor(async () => expect(await totalsShown()).toEqual(totalsAnswered()), { timeout: 10_000 });

  const { money, ...counts } = await totalsShown();
  expect(Object.entries(counts).filter(([, count]) => count === 0)).toEqual([]);
  expect(money.some((minor) => minor !== "0")).toBe(true);
});

test("live counts move without a reload while events flow", async () => {
  await seeStanding("Live", 15_000);
  const before = await liveViews();

  await expect.poll(liveViews, { timeout: 20_000, message: "no view was counted on the page" }).toBeGreaterThan(before);

  expect(loads).toBe(0);
  expect(complaints).toEqual([]);
});

test("with the consumer dead the page says that its numbers are not current, and it counts on when it is back", async () => {
  await seeStanding("Live", 15_000);
  await consumer().kill();
  const last = await liveViews();

  await seeStanding("Not current", STALE_WITHIN_MS);
  expect(await livePanel().innerText()).toContain("were watching");
  expect(await liveViews()).toBeGreaterThanOrEqual(last);

  const stood = await liveViews();
  await consumer().start();

  await seeStanding("Live", 20_000);
  await expect
    .poll(liveViews, { timeout: 20_000, message: "what was played meanwhile was never counted" })
    .toBeGreaterThan(stood);
  expect(loads).toBe(0);
  expect(complaints).toEqual([]);
  expect(failures).toEqual([]);
});
