// The library: which of a creator's items, in which order, and what each has earned. One statement.
import { z } from "zod";
import { contentItemSchema, type ContentItem, type ContentQuery, type ContentSort } from "../../contract/content.ts";
import type { CreatorId } from "../../contract/ids.ts";
import { moneySchema } from "../../contract/money.ts";
import { assertNever } from "../../runtime/assert-never.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Postgres, Statement } from "./postgres.ts";
import { countSchema, timestampSchema } from "./row-values.ts";

/** A page of the library. */
export interface ContentPage {
  readonly items: ContentItem[];
  readonly nextCursor: string | null;
}

const rowSchema = z
  .object({
    content_id: contentItemSchema.shape.contentId,
    title: z.string(),
    kind: z.string(),
    status: z.string(),
    published_at: timestampSchema.nullable(),
    duration_s: z.int().min(0).nullable(),
    thumbnail_url: z.string().nullable(),
    view_count: countSchema.nullable(),
    view_count_at: timestampSchema.nullable(),
    earnings: z.array(moneySchema),
    sort_key: z.string(),
  })
  .transform((row) => ({
    key: row.sort_key,
    item: {
      contentId: row.content_id,
      title: row.title,
      kind: row.kind,
      status: row.status,
      publishedAt: row.published_at,
      durationSeconds: row.duration_s,
      thumbnailUrl: row.thumbnail_url,
      views: row.view_count,
      viewsAsOf: row.view_count_at,
      earnings: row.earnings,
    } satisfies ContentItem,
  }));
type Row = z.output<typeof rowSchema>;

/** What each order sorts by: never null, so that every item has its place; and what its text looks like in a cursor. */
const sortKeys = {
  publishedAt: {
    expression: "coalesce(c.published_at, c.created_at)",
    type: "timestamptz",
    text: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d){0,2}$/,
  },
  title: { expression: "lower(c.title)", type: "text", text: /^/ },
  views: { expression: "coalesce(c.view_count, -1)", type: "bigint", text: /^-?\d{1,18}$/ },
  duration: { expression: "coalesce(c.duration_s, -1)::bigint", type: "bigint", text: /^-?\d{1,18}$/ },
} as const;

/**
 * A page of a creator's items.
 * @throws CursorError, StoreUnavailable
 */
export async function readContent(postgres: Postgres, creatorId: CreatorId, query: ContentQuery): Promise<ContentPage> {
  const [rows] = await postgres.read([contentStatement(creatorId, query)]);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    nextCursor:
      last !== undefined && rows.length > query.limit
        ? encodeCursor(query.sort, { key: last.key, id: last.item.contentId })
        : null,
  };
}

function contentStatement(creatorId: CreatorId, query: ContentQuery): Statement<Row> {
  const { expression, type, text } = sortKeys[fieldOf(query.sort)];
  const isDescending = query.sort.startsWith("-");
  const direction = isDescending ? "DESC" : "ASC";
  const after = query.cursor === undefined ? null : decodeCursor(query.sort, text, query.cursor);
  return {
    name: "content",
    // The only parts that are put in are those of the table above; whatever a client sent is bound.
    text: `
      SELECT page.*, coalesce(e.earnings, '[]'::json) AS earnings
      FROM (
        SELECT c.content_id, c.creator_id, c.title, c.kind, c.status, c.published_at, c.duration_s, c.thumbnail_url,
          c.view_count, c.view_count_at, (${expression})::text AS sort_key, ${expression} AS sorted_by
        FROM content c
        WHERE c.creator_id = $1
          AND ($2::text IS NULL OR c.status = $2)
          AND ($3::text IS NULL OR c.kind = $3)
          AND ($4::text IS NULL OR strpos(lower(c.title), lower($4)) > 0)
          AND ($5::text IS NULL OR (${expression}, c.content_id) ${isDescending ? "<" : ">"} ($5::text::${type}, $6::text))
        ORDER BY ${expression} ${direction}, c.content_id ${direction}
        LIMIT $7::int
      ) page
      LEFT JOIN LATERAL (
        SELECT json_agg(json_build_object('currency', currency, 'amountMinor', total::text) ORDER BY currency) AS earnings
        FROM (
          SELECT r.currency, sum(r.amount_minor) AS total
          FROM revenue_entries r
          WHERE r.creator_id = page.creator_id AND r.content_id = page.content_id
          GROUP BY r.currency
        ) totals
      ) e ON true
      ORDER BY page.sorted_by ${direction}, page.content_id ${direction}`,
    parameters: [
      creatorId,
      query.status ?? null,
      query.kind ?? null,
      query.q ?? null,
      after?.key ?? null,
      after?.id ?? null,
      // One more than the page: whether there is a next one.
      query.limit + 1,
    ],
    row: rowSchema,
  };
}

function fieldOf(sort: ContentSort): keyof typeof sortKeys {
  switch (sort) {
    case "publishedAt":
    case "-publishedAt":
      return "publishedAt";
    case "title":
    case "-title":
      return "title";
    case "views":
    case "-views":
      return "views";
    case "duration":
    case "-duration":
      return "duration";
    default:
      return assertNever(sort);
  }
}
