// The page in a real Chromium against a service in the contract's shape, under the very headers it is served with.
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { launchBrowser } from "./chromium.ts";
import { buildPage, Dashboard, LAPTOP, PHONE } from "./dashboard-page.ts";
import { alert, itemWith, NOW, snapshot, totalsWith } from "./fixtures.ts";

let browser: Browser;
let dashboard: Dashboard;

beforeAll(async () => {
  buildPage();
  browser = await launchBrowser();
});
afterAll(() => browser.close());

beforeEach(async () => {
  dashboard = await Dashboard.open(browser);
  dashboard.service.snapshot = snapshot;
});
afterEach(() => dashboard.close());

const metrics = (seq: number, liveViewers: number) => ({
  type: "metrics",
  epoch: "h_1",
  seq,
  at: NOW,
  asOf: "2026-11-22T20:05:12Z",
  totals: totalsWith(liveViewers),
  content: [itemWith("cnt_01", liveViewers - 99, true)],
  removed: [],
});

/** Waits until the text is on the page; the browser's own deadline names it when it never comes. */
async function see(text: string | RegExp): Promise<void> {
  await dashboard.page.getByText(text).first().waitFor({ timeout: 10_000 });
}

/** Waits until the live panel shows that state in its badge. */
async function seeStanding(label: string): Promise<void> {
  await dashboard.page.locator(".standing", { hasText: label }).waitFor({ timeout: 10_000 });
}

const livePanel = () => dashboard.page.getByRole("region", { name: "Right now" });

/** Everything this tab keeps, as JSON. */
function storedByPage(): Promise<string> {
  return dashboard.page.evaluate("JSON.stringify(sessionStorage) + JSON.stringify(localStorage)");
}

async function signIn(): Promise<void> {
  await dashboard.signIn();
  await dashboard.page.locator(".chart canvas").waitFor();
}

test("a visitor signs in and sees live and historical numbers, each with its time", async () => {
  await signIn();

  await see("4,310");
  await seeStanding("Live");
  await see("as of 21:05:11");
  await see("486,668");
  await see(/complete to 22 Nov, 21:00/);
  await see("Africa/Lagos (GMT+1)");
  await see("Lagos at night");
  expect(new URL(dashboard.page.url()).search).toBe("");
  expect(dashboard.complaints).toEqual([]);
});

test("signing in asks for the overview once: the first live numbers are no news about money", async () => {
  await signIn();
  await see("4,310");
  await see("Lagos at night");

  expect(dashboard.service.asked.filter((path) => path.includes("/analytics/overview"))).toHaveLength(1);
});

test("a device whose clock is three hours off signs in like any other", async () => {
  await dashboard.page.clock.setSystemTime(Date.now() + 3 * 3_600_000);

  await signIn();
  await see("4,310");

  expect(dashboard.complaints).toEqual([]);
});

test("money is exact and stays apart by currency", async () => {
  await signIn();

  const revenue = dashboard.page.getByRole("region", { name: "Revenue" });
  const text = (await revenue.innerText()).replaceAll("\u00a0", "");

  expect(text).toContain("₦90,071,992,547,409.93");
  expect(text).toContain("₦1,250,000.00");
  expect(text).toContain("US$412.50");
});

test("counts move with the frames, without a reload", async () => {
  await signIn();
  await see("4,310");

  dashboard.service.say(metrics(2, 4_355));

  await see("4,355");
  await see("as of 21:05:12");

  dashboard.service.say({ type: "subscribers", epoch: "h_1", seq: 3, at: NOW, count: 50_232, change: 1, asOf: NOW });

  await see("50,232");
  expect(await livePanel().innerText()).toMatch(/4,355\s+watching now/);
});

test("numbers that are not known are dashes with a reason, never zeros", async () => {
  dashboard.service.snapshot = {
    ...snapshot,
    state: "unavailable",
    reason: "starting",
    asOf: null,
    totals: { ...totalsWith(null), views: null, likes: null, shares: null, completions: null, watchSeconds: null },
    content: [],
    subscribers: { count: null, asOf: null },
  };
  dashboard.service.overview = (answer) => {
    const totals = answer["totals"] as Record<string, unknown>; // the fixture's own
    return {
      ...answer,
      totals: { ...totals, likes: null, revenue: { status: "unavailable", asOf: null, amounts: null } },
    };
  };
  await signIn();

  await seeStanding("Starting");
  const live = await livePanel().innerText();

  expect(live).not.toMatch(/\b0\b/);
  expect(live).toContain("–");

  await see(/Likes are not known for this range/);
  await see(/Billing data are not available/);
});

test("numbers that are not current say since when", async () => {
  await signIn();

  dashboard.service.say({
    type: "status",
    epoch: "h_1",
    seq: 2,
    at: NOW,
    state: "stale",
    reason: "reader_behind",
    asOf: "2026-11-22T20:04:50Z",
  });

  await seeStanding("Not current");
  const live = await livePanel().innerText();

  expect(live).toContain("as of 21:04:50");
  expect(live).toContain("The counting is behind and is catching up.");
  expect(live).toMatch(/4,310\s+were watching/);
});

test("a lost connection keeps the numbers, says so, and heals by itself", async () => {
  await signIn();
  await see("4,310");
  dashboard.service.refusesSockets = true;

  dashboard.service.dropSockets(1012);

  await seeStanding("Reconnecting");
  expect(await livePanel().innerText()).toMatch(/as of 21:05:11[^]*4,310\s+were watching/);

  dashboard.service.refusesSockets = false;
  dashboard.service.snapshot = { ...snapshot, epoch: "h_2", totals: totalsWith(5_001) };

  await see("5,001");
  await seeStanding("Live");
});

test("an expired token is renewed without anybody noticing", async () => {
  await signIn();
  await see("4,310");
  dashboard.service.snapshot = { ...snapshot, totals: totalsWith(4_777) };

  dashboard.service.dropSockets(4401);

  await see("4,777");
  expect(dashboard.service.socketTokens).toHaveLength(2);
  expect(dashboard.service.socketTokens[1]).toBe(dashboard.service.issuer.issued[1]);
});

test("a session that cannot be renewed ends at the sign-in", async () => {
  await signIn();
  dashboard.service.issuer.behaviour.renews = false;

  dashboard.service.dropSockets(4401);

  await dashboard.page.getByRole("button", { name: "Sign in" }).waitFor();
  expect(await storedByPage()).toBe("{}{}");
});

test("a token that is about to expire is renewed before it is used", async () => {
  dashboard.service.issuer.behaviour.lifetimeSeconds = 2;
  await signIn();
  const before = dashboard.service.issuer.issued.length;

  await expect
    .poll(
      async () => {
        await dashboard.page.getByRole("radio", { name: "Last 7 days" }).check();
        await dashboard.page.getByRole("radio", { name: "Last 28 days" }).check();
        return dashboard.service.issuer.issued.length;
      },
      { timeout: 10_000, message: "the token was never renewed" },
    )
    .toBeGreaterThan(before);
});

test("with analytics down the live panel works, and a retry brings the overview back", async () => {
  dashboard.service.analyticsProblem = {
    status: 503,
    code: "analytics_unavailable",
    title: "Analytics are unavailable",
  };
  await dashboard.signIn();

  await see("The analytics are not answering at the moment.");
  await see("Reference: req_7");
  await see("4,310");
  dashboard.service.say(metrics(2, 4_311));
  await see("4,311");

  dashboard.service.analyticsProblem = null;
  await dashboard.page.getByRole("button", { name: "Try again" }).click();

  await see("486,668");
  expect(await dashboard.page.getByRole("alert").count()).toBe(0);
});

test("with the live socket down the overview works", async () => {
  dashboard.service.refusesSockets = true;
  await signIn();

  await seeStanding("Connecting");
  expect(await dashboard.page.getByRole("region", { name: "Last 28 days" }).innerText()).toContain("486,668");
});

test("every range can be chosen with the keyboard and survives a reload", async () => {
  await signIn();

  await dashboard.page.getByRole("radio", { name: "Last 28 days" }).focus();
  await dashboard.page.keyboard.press("ArrowLeft");

  await dashboard.page.getByRole("heading", { name: "Last 7 days" }).waitFor();
  await expect
    .poll(() => dashboard.service.asked)
    .toContain("/api/v1/creator/analytics/overview?range=7d&tz=Africa%2FLagos");

  await dashboard.page.reload();

  await dashboard.page.getByRole("heading", { name: "Last 7 days" }).waitFor();
});

test.each([
  ["24h", "Last 24 hours", 24],
  ["90d", "Last 90 days", 90],
  ["365d", "Last 365 days", 53],
])("the range %s shows as many steps as it has, the last one unfinished", async (_range, name, steps) => {
  await signIn();

  await dashboard.page.getByRole("radio", { name }).check();
  await dashboard.page.getByText("Show the numbers").click();
  const rows = dashboard.page.getByRole("region", { name: /^Views by/ }).locator("tbody tr");

  await expect.poll(() => rows.count()).toBe(steps);
  expect(await rows.first().innerText()).toContain("so far");
  expect(await rows.nth(1).innerText()).not.toContain("so far");
});

test("choosing a total draws it", async () => {
  await signIn();

  await dashboard.page.getByRole("button", { name: /Watch time/ }).click();

  await dashboard.page.getByRole("heading", { name: "Watch time over time" }).waitFor();
  expect(await dashboard.page.getByRole("button", { pressed: true }).innerText()).toContain("Watch time");
});

const payment = (seq: number) => ({
  type: "revenue.changed",
  epoch: "h_1",
  seq,
  at: NOW,
  version: 11 + seq,
  lastPaymentAt: "2026-11-23T09:00:00Z",
  paymentId: `pay_${seq}`,
  kind: "ad",
  amountMinor: "120000",
  currency: "NGN",
});

test("a payment refreshes the overview", async () => {
  await signIn();
  const before = dashboard.service.asked.length;

  dashboard.service.say(payment(2));

  await expect.poll(() => dashboard.service.asked.slice(before).join()).toContain("/api/v1/creator/analytics/overview");
});

test("payments that follow each other fast do not keep the overview away", async () => {
  await signIn();
  const answered = Promise.withResolvers<void>();
  dashboard.service.overviewHeld = answered.promise;
  dashboard.service.overview = (answer) => ({ ...answer, warnings: ["zone_boundary_rounded"] });
  const before = dashboard.service.asked.length;
  const overviews = () => dashboard.service.asked.slice(before).filter((path) => path.includes("/analytics/overview"));

  dashboard.service.say(payment(2));
  await expect.poll(overviews).toHaveLength(1);
  for (let seq = 4; seq <= 40; seq += 2) {
    dashboard.service.say(payment(seq - 1));
    dashboard.service.say(metrics(seq, 5_000 + seq));
    await see((5_000 + seq).toLocaleString("en"));
  }
  answered.resolve();

  await see(/Days begin at the full hour before midnight/);
  expect(overviews()).toHaveLength(1);
});

test("a moderation decision appears in a log that screen readers follow", async () => {
  await signIn();

  dashboard.service.say({ type: "moderation.decision", epoch: "h_1", seq: 2, at: NOW, alert });

  await see(/was restricted/);
  expect(await dashboard.page.getByRole("log").innerText()).toMatch(
    /Third Mainland Bridge at dawn was restricted: Shows a road accident[^]*appeal by 6 Dec, 01:00/,
  );
});

test("the counts are in no live region: only the standing is announced", async () => {
  await signIn();
  await see("4,310");

  const announced = await dashboard.page.getByRole("status").allInnerTexts();

  expect(announced).toHaveLength(1);
  expect(announced[0]).toMatch(/^Live numbers: Live\. \D+$/);
});

test("a cancelled sign-in is explained", async () => {
  dashboard.service.issuer.behaviour.refuseWith = "access_denied";

  await dashboard.page.getByRole("button", { name: "Sign in" }).click();

  await see("The sign-in was cancelled.");
  expect(new URL(dashboard.page.url()).search).toBe("");
});

test("a sign-in answer that this tab never asked for is not taken up", async () => {
  await dashboard.page.goto(`${dashboard.service.origin}/?code=stolen&state=foreign`);

  await dashboard.page.getByRole("button", { name: "Sign in" }).waitFor();
  expect(dashboard.service.issuer.issued).toEqual([]);
  expect(new URL(dashboard.page.url()).search).toBe("");
});

test("signing out forgets the tokens and ends the live connection", async () => {
  await signIn();
  await see("4,310");

  await dashboard.page.getByRole("button", { name: "Sign out" }).click();

  await dashboard.page.getByRole("button", { name: "Sign in" }).waitFor();
  await expect.poll(() => dashboard.service.sockets.length).toBe(0);
  expect(await storedByPage()).toBe("{}{}");
});

test("a token is never in an address or outside this tab's storage", async () => {
  await signIn();
  const [token = ""] = dashboard.service.issuer.issued;

  const elsewhere = await dashboard.page.evaluate<string>(
    `performance.getEntriesByType("resource").map((entry) => entry.name).join() +
      location.href + document.cookie + JSON.stringify(localStorage)`,
  );

  expect(token).not.toBe("");
  expect(elsewhere).not.toContain(token);
});

test.each([
  ["light on a phone", { viewport: PHONE, colorScheme: "light" as const }],
  ["dark on a phone", { viewport: PHONE, colorScheme: "dark" as const }],
  ["light on a laptop", { viewport: LAPTOP, colorScheme: "light" as const }],
])("axe-core finds nothing: %s, and nothing is wider than the screen", async (_name, options) => {
  await dashboard.close();
  dashboard = await Dashboard.open(browser, options);
  dashboard.service.snapshot = { ...snapshot, alerts: [alert] };

  await dashboard.page.getByRole("button", { name: "Sign in" }).waitFor();
  expect(await dashboard.accessibilityFaults()).toEqual([]);

  await signIn();
  await see("4,310");
  await dashboard.page.getByText("Show the numbers").click();

  expect(await dashboard.accessibilityFaults()).toEqual([]);
  const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
  expect(await dashboard.page.evaluate(overflow)).toBe(0);
  expect(dashboard.complaints).toEqual([]);
});
