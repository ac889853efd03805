// The library: `GET /api/v1/creator/content`.
import { z } from "zod";
import { contentIdSchema } from "./ids.ts";
import { moneySchema } from "./money.ts";

/** What an item is. */
export const contentKinds = ["video", "live"] as const;
/** Where an item stands in the catalogue. */
export const contentStatuses = [
  "draft",
  "scheduled",
  "processing",
  "published",
  "unlisted",
  "private",
  "restricted",
  "removed",
] as const;
/** Orders of the library; a minus turns one round. Items that were never published sort by their creation. */
export const contentSorts = [
  "publishedAt",
  "-publishedAt",
  "title",
  "-title",
  "views",
  "-views",
  "duration",
  "-duration",
] as const;
export type ContentSort = (typeof contentSorts)[number];

/** Items on one page: the most that can be asked for (quality goals, request limits), and what is given unasked. */
export const MAX_PAGE_ITEMS = 100;
export const DEFAULT_PAGE_ITEMS = 25;

/** How many items a page may have, in a query. */
export const limitSchema = z
  .string()
  .regex(/^[1-9]\d{0,2}$/, { error: `expected a whole number from 1 to ${MAX_PAGE_ITEMS}` })
  .transform(Number)
  .refine((limit) => limit <= MAX_PAGE_ITEMS, { error: `expected a whole number from 1 to ${MAX_PAGE_ITEMS}` })
  .default(DEFAULT_PAGE_ITEMS)
  .meta({ description: "Items on a page.", override: { type: "integer", minimum: 1, maximum: MAX_PAGE_ITEMS } });

/** A place in a list, as an earlier page named it. Opaque to clients. */
export const cursorSchema = z
  .string()
  .min(1)
  .max(4_096)
  .optional()
  .meta({ description: "The `nextCursor` of the page before, with the same other parameters." });

const oneOf = <const Value extends string>(values: readonly [Value, ...Value[]]) =>
  z.enum(values, { error: `expected one of ${values.join(", ")}` });

/** The library's parameters; an unknown one is an error. */
export const contentQuerySchema = z.strictObject({
  status: oneOf(contentStatuses).optional(),
  kind: oneOf(contentKinds).optional(),
  q: z
    .string()
    .min(1, { error: "expected at least one character" })
    .max(200, { error: "expected at most 200 characters" })
    // Postgres has no text with a NUL in it, and nobody types the others.
    .regex(/^\P{Cc}*$/u, { error: "expected no control characters" })
    .optional()
    .meta({ description: "Part of a title, in any case." }),
  sort: oneOf(contentSorts).default("-publishedAt"),
  limit: limitSchema,
  cursor: cursorSchema,
});
export type ContentQuery = z.output<typeof contentQuerySchema>;

/** One item. `kind` and `status` are the catalogue's words: it may know more of them than we do. */
export const contentItemSchema = z.object({
  contentId: contentIdSchema,
  title: z.string(),
  kind: z.string().meta({ examples: [...contentKinds] }),
  status: z.string().meta({ examples: [...contentStatuses] }),
  publishedAt: z.iso.datetime().nullable(),
  durationSeconds: z.int().min(0).nullable(),
  thumbnailUrl: z.string().nullable(),
  views: z.int().min(0).nullable().meta({ description: "The catalogue's own count; null when it has none." }),
  viewsAsOf: z.iso.datetime().nullable(),
  earnings: z
    .array(moneySchema)
    .meta({ description: "All revenue of the item: estimated, final and paid, per currency." }),
});
export type ContentItem = z.infer<typeof contentItemSchema>;

/** A page of the library. `nextCursor` is null on the last one. */
export const contentAnswerSchema = z.object({
  items: z.array(contentItemSchema),
  nextCursor: z.string().nullable(),
});
