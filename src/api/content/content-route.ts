// The creator's library.
import { contentAnswerSchema, contentQuerySchema } from "../../contract/content.ts";
import { readContent } from "../../store/postgres/read-content.ts";
import { creatorRoute } from "../route.ts";

/** `GET /api/v1/creator/content`. */
export const contentRoute = creatorRoute({
  method: "get",
  path: "/api/v1/creator/content",
  tag: "Content",
  summary: "The library",
  description: "The creator's items with what the catalogue knows of them and what each has earned.",
  query: contentQuerySchema,
  answer: contentAnswerSchema,
  problems: ["storage_unavailable"],
  handle: async ({ query, creator, services }) => ({
    answer: await readContent(services.postgres, creator.creatorId, query),
  }),
});
