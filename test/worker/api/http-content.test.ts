import { describe, expect, test } from "vitest";
import { contentAnswerSchema } from "../../../src/contract/content.ts";
import { asOwner, call, newCreator, problemIn } from "./http-client.ts";
import { tokenOf } from "./http-tokens.ts";

const PATH = "/api/v1/creator/content";

/** Puts one item into the catalogue. */
async function catalogue(creatorId: string, contentId: string, item: Record<string, unknown> = {}): Promise<void> {
  const row = {
    title: contentId,
    kind: "video",
    status: "published",
    published_at: "2026-11-20T18:00:00Z",
    duration_s: 60,
    view_count: 10,
    view_count_at: "2026-11-22T19:00:00Z",
    created_at: "2026-11-19T00:00:00Z",
    ...item,
  };
  const names = Object.keys(row);
  await asOwner(
    `INSERT INTO content (content_id, creator_id, ${names.join(", ")})
     VALUES ($1, $2, ${names.map((_, index) => `$${index + 3}`).join(", ")})`,
    [contentId, creatorId, ...Object.values(row)],
  );
}

/** Books revenue of an item. */
async function earn(creatorId: string, contentId: string, currency: string, amounts: number[]): Promise<void> {
  for (const amount of amounts) {
    await asOwner(
      `INSERT INTO revenue_entries (entry_id, creator_id, content_id, source, currency, amount_minor, status, accrued_at, updated_at)
       VALUES ($1, $2, $3, 'ad', $4, $5, 'final', '2026-11-20T18:00:00Z', '2026-11-22T18:00:00Z')`,
      [crypto.randomUUID(), creatorId, contentId, currency, amount],
    );
  }
}

async function page(token: string, query = "") {
  const response = await call(`${PATH}${query}`, token);
  if (response.status !== 200) {
    throw new Error(`${query}: ${response.status} ${await response.text()}`);
  }
  return contentAnswerSchema.parse(await response.json());
}

test("an item is told literally as the contract has it", async () => {
  const creatorId = newCreator();
  const contentId = `${creatorId}.1`;
  await catalogue(creatorId, contentId, {
    title: "Lagos at night",
    kind: "live",
    duration_s: 5_400,
    view_count: 40_211,
  });
  await earn(creatorId, contentId, "NGN", [30_000_000, 1_000_000]);
  await earn(creatorId, contentId, "USD", [41_250]);

  const response = await call(PATH, await tokenOf(creatorId));

  expect(await response.json()).toEqual({
    items: [
      {
        contentId,
        title: "Lagos at night",
        kind: "live",
        status: "published",
        publishedAt: "2026-11-20T18:00:00.000Z",
        durationSeconds: 5_400,
        thumbnailUrl: null,
        views: 40_211,
        viewsAsOf: "2026-11-22T19:00:00.000Z",
        earnings: [
          { currency: "NGN", amountMinor: "31000000" },
          { currency: "USD", amountMinor: "41250" },
        ],
      },
    ],
    nextCursor: null,
  });
});

test("a creator sees nobody else's items and nobody else's money", async () => {
  const [mine, theirs] = [newCreator(), newCreator()];
  await catalogue(mine, `${mine}.1`);
  await catalogue(theirs, `${theirs}.1`);
  await earn(theirs, `${mine}.1`, "NGN", [500]);

  const { items } = await page(await tokenOf(mine));

  expect(items).toMatchObject([{ contentId: `${mine}.1`, earnings: [] }]);
});

test("status, kind and title narrow the list, whatever the title holds", async () => {
  const creatorId = newCreator();
  await catalogue(creatorId, `${creatorId}.1`, { title: "100% Àṣẹ_\\'; DROP" });
  await catalogue(creatorId, `${creatorId}.2`, { title: "Lagos", status: "draft", published_at: null });
  await catalogue(creatorId, `${creatorId}.3`, { title: "Lagos by day", kind: "live" });
  const token = await tokenOf(creatorId);
  const found = async (query: string) => (await page(token, query)).items.map(({ contentId }) => contentId.slice(-1));

  expect(await found("?status=draft")).toEqual(["2"]);
  expect(await found("?kind=live")).toEqual(["3"]);
  expect(await found("?q=lAgOs&sort=title")).toEqual(["2", "3"]);
  expect(await found(`?q=${encodeURIComponent("0% àṣẹ_\\'; d")}`)).toEqual(["1"]);
  expect(await found("?q=%25")).toEqual(["1"]);
  expect(await found("?q=nothing")).toEqual([]);
});

test("pages hold every item once, in order, whatever the order and its ties", async () => {
  const creatorId = newCreator();
  for (let index = 0; index < 7; index += 1) {
    await catalogue(creatorId, `${creatorId}.${index}`, {
      // Ties on purpose, and values that are missing.
      title: index % 2 === 0 ? "Same" : `Title ${index}`,
      published_at: index < 3 ? null : `2026-11-1${index % 2}T00:00:00.000${index}Z`,
      view_count: index < 2 ? null : 5,
      duration_s: index < 4 ? 60 : null,
    });
  }
  const token = await tokenOf(creatorId);

  for (const sort of ["publishedAt", "-publishedAt", "title", "-title", "views", "-views", "duration", "-duration"]) {
    const whole = (await page(token, `?sort=${sort}`)).items.map(({ contentId }) => contentId);
    const walked: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const next = await page(token, `?sort=${sort}&limit=2${cursor && `&cursor=${cursor}`}`);
      walked.push(...next.items.map(({ contentId }) => contentId));
      cursor = next.nextCursor;
    }

    expect({ sort, walked }).toEqual({ sort, walked: whole });
    expect({ sort, items: new Set(walked).size }).toEqual({ sort, items: 7 });
  }
});

describe("a parameter that is wrong is named", () => {
  test.each([
    ["status=gone", "status"],
    ["kind=podcast", "kind"],
    ["sort=earnings", "sort"],
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["limit=ten", "limit"],
    ["q=", "q"],
    ["q=%00", "q"],
    [`q=${"x".repeat(201)}`, "q"],
    ["cursor=nonsense", "cursor"],
    ["cursor=", "cursor"],
    [`cursor=${btoa('["-title","a","b"]')}`, "cursor"],
    [`cursor=${btoa('["-publishedAt","yesterday","b"]')}`, "cursor"],
    [`cursor=${btoa(String.raw`["-publishedAt","2026-11-20 18:00:00+00","\u0000"]`)}`, "cursor"],
    ["creatorId=somebody_else", "creatorId"],
    ["format=csv", "format"],
    ["compare=previous", "compare"],
    ["status=draft&status=published", "status"],
  ])("%s", async (query, parameter) => {
    const response = await call(`${PATH}?${query}`, await tokenOf(newCreator()));

    expect(response.status).toBe(400);
    expect(await problemIn(response)).toMatchObject({ code: "invalid_parameter", errors: [{ parameter }] });
  });

  test("so is a wish for CSV, which there is none of", async () => {
    const response = await call(PATH, await tokenOf(newCreator()), { headers: { Accept: "text/csv" } });

    expect(response.status).toBe(400);
  });
});
