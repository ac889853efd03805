// Statements about single items of the catalogue: what the analytics need to name what they count.
import { z } from "zod";
import { contentIdSchema, type ContentId, type CreatorId } from "../../contract/ids.ts";
import type { Statement } from "./postgres.ts";
import { timestampSchema } from "./row-values.ts";

const titleSchema = z.object({ content_id: contentIdSchema, title: z.string() });

/** Titles of those of the items that are the creator's. */
export function titlesOf(
  creatorId: CreatorId,
  contentIds: readonly ContentId[],
): Statement<z.output<typeof titleSchema>> {
  return {
    name: "titles",
    text: "SELECT content_id, title FROM content WHERE creator_id = $1 AND content_id = ANY ($2::text[])",
    parameters: [creatorId, contentIds],
    row: titleSchema,
  };
}

const itemSchema = z.object({
  content_id: contentIdSchema,
  title: z.string(),
  kind: z.string(),
  status: z.string(),
  published_at: timestampSchema.nullable(),
  duration_s: z.int().min(0).nullable(),
});
/** An item as the catalogue tells it. */
export type CatalogueItem = z.output<typeof itemSchema>;

/** The item, where it is the creator's: one row or none. */
export function itemOf(creatorId: CreatorId, contentId: ContentId): Statement<CatalogueItem> {
  return {
    name: "item",
    text: `SELECT content_id, title, kind, status, published_at, duration_s
      FROM content WHERE content_id = $2 AND creator_id = $1`,
    parameters: [creatorId, contentId],
    row: itemSchema,
  };
}

const publishedSchema = z.object({ content_id: contentIdSchema, published_at: timestampSchema });

/** The creator's items published until an instant, newest first. */
export function recentlyPublished(
  creatorId: CreatorId,
  untilMs: number,
  limit: number,
): Statement<z.output<typeof publishedSchema>> {
  return {
    name: "recently published",
    text: `SELECT content_id, published_at
      FROM content WHERE creator_id = $1 AND status = 'published' AND published_at <= $2::timestamptz
      ORDER BY published_at DESC, content_id DESC LIMIT $3::int`,
    parameters: [creatorId, new Date(untilMs).toISOString(), limit],
    row: publishedSchema,
  };
}
