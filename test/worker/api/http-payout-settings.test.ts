import { describe, expect, test } from "vitest";
import { asOwner, call, newCreator, problemIn } from "./http-client.ts";
import { epochSeconds, tokenOf } from "./http-tokens.ts";

const PATH = "/api/v1/creator/payout-settings";
const PAYSTACK = { currency: "NGN", method: "paystack", paystackAccountId: "RCP_2x5j67tnnw1t98k" };
const STRIPE = { currency: "USD", method: "stripe", stripeAccountId: "acct_1MZ8zaLkdIwHu7ix" };

const put = (token: string, body: unknown, headers: Record<string, string> = {}) =>
  call(PATH, token, {
    method: "PUT",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

/** A creator who has settings already, at version 1. */
async function settled(): Promise<{ creatorId: string; token: string }> {
  const creatorId = newCreator();
  const token = await tokenOf(creatorId);
  const response = await put(token, PAYSTACK);
  expect(response.status).toBe(200);
  return { creatorId, token };
}

/** What a change has left in the database. */
async function tracesOf(creatorId: string) {
  const audit = await asOwner("SELECT * FROM payout_settings_audit WHERE creator_id = $1 ORDER BY version", [
    creatorId,
  ]);
  const outbox = await asOwner("SELECT * FROM notification_outbox WHERE creator_id = $1 ORDER BY id", [creatorId]);
  return { audit, outbox };
}

test("before the first setting there is an answer all the same", async () => {
  const response = await call(PATH, await tokenOf(newCreator()));

  expect(response.status).toBe(200);
  expect(response.headers.get("ETag")).toBe('"0"');
  expect(await response.json()).toEqual({
    configured: false,
    currency: null,
    method: null,
    paystackAccount: null,
    stripeAccount: null,
    lockedUntil: null,
    version: 0,
    updatedAt: null,
  });
});

test("the first setting needs no precondition, is not held, and is answered masked", async () => {
  const creatorId = newCreator();
  const token = await tokenOf(creatorId);

  const response = await put(token, PAYSTACK);

  expect(response.status).toBe(200);
  expect(response.headers.get("ETag")).toBe('"1"');
  const settings = await response.json();
  expect(settings).toEqual({
    configured: true,
    currency: "NGN",
    method: "paystack",
    paystackAccount: "RCP_••••t98k",
    stripeAccount: null,
    lockedUntil: null,
    version: 1,
    updatedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
  });
  expect(await (await call(PATH, token)).json()).toEqual(settings);
});

test("a changed destination is held for 72 hours, and the trail and the notice tell both, masked", async () => {
  const { creatorId, token } = await settled();
  const beforeMs = Date.now();

  const response = await put(token, STRIPE, { "If-Match": '"1"', "X-Request-Id": "the-change" });

  const settings = await response.json<{ lockedUntil: string; version: number }>();
  expect(Date.parse(settings.lockedUntil)).toBeGreaterThanOrEqual(beforeMs + 72 * 3_600_000);
  expect(Date.parse(settings.lockedUntil)).toBeLessThan(Date.now() + 72 * 3_600_000 + 1);
  const { audit, outbox } = await tracesOf(creatorId);
  expect(audit[1]).toMatchObject({
    version: "2",
    actor: creatorId,
    request_id: "the-change",
    before: { method: "paystack", paystackAccount: "RCP_••••t98k" },
    after: { method: "stripe", stripeAccount: "acct_••••u7ix", paystackAccount: null },
  });
  expect(outbox[1]).toMatchObject({
    kind: "payout-settings.changed",
    delivered_at: null,
    payload: { requestId: "the-change", before: { version: 1 }, after: { version: 2 } },
  });
  expect(JSON.stringify([audit, outbox])).not.toMatch(/2x5j67|1MZ8za/);
});

test("a change that moves no money elsewhere is not held", async () => {
  const { token } = await settled();

  const response = await put(token, { ...PAYSTACK, currency: "USD" }, { "If-Match": '"1"' });

  expect(await response.json()).toMatchObject({ currency: "USD", lockedUntil: null, version: 2 });
});

test("a running hold outlives a change that moves no money", async () => {
  const { token } = await settled();
  const held = await (await put(token, STRIPE, { "If-Match": '"1"' })).json<{ lockedUntil: string }>();

  const later = await put(token, { ...STRIPE, paystackAccountId: "RCP_anotherone" }, { "If-Match": '"2"' });

  expect(await later.json()).toMatchObject({ lockedUntil: held.lockedUntil, version: 3 });
});

describe("a precondition", () => {
  test("is required once settings exist", async () => {
    const { token } = await settled();

    const response = await put(token, STRIPE);

    expect(response.status).toBe(428);
    expect((await problemIn(response)).code).toBe("precondition_required");
  });

  test.each(['"0"', '"2"', 'W/"1"', '"1x"', '"7", "8"', '""'])("%s does not match version 1", async (ifMatch) => {
    const { creatorId, token } = await settled();

    const response = await put(token, STRIPE, { "If-Match": ifMatch });

    expect(response.status).toBe(412);
    expect((await problemIn(response)).code).toBe("precondition_failed");
    expect((await tracesOf(creatorId)).audit).toHaveLength(1);
  });

  test("may list several versions", async () => {
    const { token } = await settled();

    expect((await put(token, STRIPE, { "If-Match": '"9", "1"' })).status).toBe(200);
  });

  test("of version 0 goes with the first setting, any other does not", async () => {
    expect((await put(await tokenOf(newCreator()), STRIPE, { "If-Match": '"1"' })).status).toBe(412);
    expect((await put(await tokenOf(newCreator()), STRIPE, { "If-Match": '"0"' })).status).toBe(200);
  });

  test("that names no version is refused", async () => {
    const { token } = await settled();

    expect((await put(token, STRIPE, { "If-Match": "*" })).status).toBe(428);
    expect((await put(token, STRIPE, { "If-Match": "1" })).status).toBe(400);
  });
});

describe("an Idempotency-Key", () => {
  test("gets the first answer again, and changes nothing again", async () => {
    const { creatorId, token } = await settled();
    const headers = { "If-Match": '"1"', "Idempotency-Key": "key-1" };
    const first = await put(token, STRIPE, headers);
    const firstBody = await first.json();
    await put(token, PAYSTACK, { "If-Match": '"2"' });

    const again = await put(token, JSON.stringify(STRIPE, null, 2), headers);

    expect(again.status).toBe(200);
    expect(again.headers.get("ETag")).toBe(first.headers.get("ETag"));
    expect(await again.json()).toEqual(firstBody);
    expect((await tracesOf(creatorId)).audit).toHaveLength(3);
  });

  test("refuses another body", async () => {
    const { token } = await settled();
    await put(token, STRIPE, { "If-Match": '"1"', "Idempotency-Key": "key-1" });

    const response = await put(token, PAYSTACK, { "If-Match": '"2"', "Idempotency-Key": "key-1" });

    expect(response.status).toBe(422);
    expect((await problemIn(response)).errors).toMatchObject([{ parameter: "Idempotency-Key" }]);
  });

  test("belongs to one creator", async () => {
    const [one, other] = [await settled(), await settled()];
    const headers = { "If-Match": '"1"', "Idempotency-Key": "shared" };
    await put(one.token, STRIPE, headers);

    expect((await put(other.token, { ...STRIPE, currency: "NGN" }, headers)).status).toBe(200);
  });

  test("of a refused request is still free", async () => {
    const { token } = await settled();
    expect((await put(token, STRIPE, { "If-Match": '"9"', "Idempotency-Key": "key-1" })).status).toBe(412);

    expect((await put(token, STRIPE, { "If-Match": '"1"', "Idempotency-Key": "key-1" })).status).toBe(200);
  });

  test("repeated many times at once changes the settings once, and everybody gets the same answer", async () => {
    const { creatorId, token } = await settled();
    const headers = { "If-Match": '"1"', "Idempotency-Key": "key-1" };

    const responses = await Promise.all(Array.from({ length: 10 }, () => put(token, STRIPE, headers)));

    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(new Set(await Promise.all(responses.map((response) => response.text()))).size).toBe(1);
    expect((await tracesOf(creatorId)).audit).toHaveLength(2);
  });

  test.each(["", "x".repeat(256), "with space"])("%j is none", async (key) => {
    const { token } = await settled();

    expect((await put(token, STRIPE, { "If-Match": '"1"', "Idempotency-Key": key })).status).toBe(400);
  });
});

test("of two changes that have read the same version, one wins", async () => {
  const { creatorId, token } = await settled();

  const responses = await Promise.all([
    put(token, STRIPE, { "If-Match": '"1"' }),
    put(token, { ...PAYSTACK, paystackAccountId: "RCP_thethieves" }, { "If-Match": '"1"' }),
  ]);

  expect(responses.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 412]);
  const { audit, outbox } = await tracesOf(creatorId);
  expect([audit.length, outbox.length]).toEqual([2, 2]);
});

describe("the sign-in", () => {
  test.each([
    ["is older than five minutes", { auth_time: epochSeconds() - 320 }],
    ["has no time", { auth_time: undefined }],
    ["lies in the future", { auth_time: epochSeconds() + 320 }],
    ["has a time that is no number", { auth_time: "now" }],
  ])("that %s is not enough to redirect money", async (_name, claims) => {
    const creatorId = newCreator();

    const response = await put(await tokenOf(creatorId, claims), PAYSTACK);

    expect(response.status).toBe(401);
    const challenge = response.headers.get("WWW-Authenticate");
    expect(challenge).toMatch(/^Bearer .*error="insufficient_user_authentication"/);
    expect(challenge).toContain('max_age="300"');
    expect((await problemIn(response)).code).toBe("insufficient_user_authentication");
    expect((await tracesOf(creatorId)).audit).toEqual([]);
  });

  test("of yesterday is enough to look", async () => {
    const token = await tokenOf(newCreator(), { auth_time: epochSeconds() - 86_400 });

    expect((await call(PATH, token)).status).toBe(200);
  });
});

describe("a body", () => {
  test.each([
    ["without the method's account", { currency: "NGN", method: "paystack" }, "paystackAccountId"],
    ["with the other method's account only", { ...STRIPE, method: "paystack" }, "paystackAccountId"],
    ["with another currency", { ...PAYSTACK, currency: "EUR" }, "currency"],
    ["with another method", { ...PAYSTACK, method: "cash" }, "method"],
    ["with a malformed account", { ...PAYSTACK, paystackAccountId: "RCP_'; DROP TABLE" }, "paystackAccountId"],
    [
      "with an account that is too long",
      { ...PAYSTACK, paystackAccountId: `RCP_${"x".repeat(65)}` },
      "paystackAccountId",
    ],
    ["with a member that is ours", { ...PAYSTACK, lockedUntil: null }, "lockedUntil"],
    ["with another creator", { ...PAYSTACK, creatorId: "somebody_else" }, "creatorId"],
    ["that is a list", [PAYSTACK], "body"],
  ])("%s is unprocessable", async (_name, body, parameter) => {
    const response = await put(await tokenOf(newCreator()), body);

    expect(response.status).toBe(422);
    expect(await problemIn(response)).toMatchObject({ code: "unprocessable", errors: [{ parameter }] });
  });

  test("that is not JSON is a bad request", async () => {
    expect((await put(await tokenOf(newCreator()), "{")).status).toBe(400);
  });

  test("of another media type is refused", async () => {
    const response = await put(await tokenOf(newCreator()), PAYSTACK, { "Content-Type": "text/plain" });

    expect(response.status).toBe(415);
  });

  test("of more than 16 KiB is refused", async () => {
    const response = await put(await tokenOf(newCreator()), { ...PAYSTACK, padding: "x".repeat(16_384) });

    expect(response.status).toBe(413);
    expect((await problemIn(response)).code).toBe("too_large");
  });
});
