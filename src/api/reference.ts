// The API describing itself: the OpenAPI and AsyncAPI documents, and a reference for people that needs neither script
// nor network.
import { z } from "zod";
import { describeMessages } from "./asyncapi.ts";
import { describeRoutes, type OpenApiDocument } from "./openapi.ts";
import { referencePage, referencePolicy } from "./reference-page.ts";
import type { Route } from "./route.ts";

/** An hour: it changes only with a deployment. */
const CACHE = "public, max-age=3600";

/** The routes, and after them those that describe everything, themselves included. */
export function describedRoutes(operations: readonly Route[]): readonly Route[] {
  let document: OpenApiDocument | undefined;
  // Made when first asked for: a request for anything else should not pay for it.
  const described = () => (document ??= describeRoutes(all));
  const all: readonly Route[] = [
    ...operations,
    {
      method: "get",
      path: "/openapi.json",
      access: "public",
      operation: {
        tags: ["Service"],
        summary: "This document",
        responses: {
          200: {
            description: "OpenAPI 3.1.",
            content: { "application/json": { schema: z.record(z.string(), z.unknown()) } },
          },
        },
      },
      handle: (context) => context.json(described(), 200, { "Cache-Control": CACHE }),
    },
    {
      method: "get",
      path: "/asyncapi.json",
      access: "public",
      operation: {
        tags: ["Service"],
        summary: "The live socket's messages, and the events that are counted",
        responses: {
          200: {
            description: "AsyncAPI 3.0, with JSON Schema draft 07.",
            content: { "application/json": { schema: z.record(z.string(), z.unknown()) } },
          },
        },
      },
      handle: (context) => {
        const { host, protocol } = new URL(context.req.url);
        const messages = describeMessages({ host, protocol: protocol === "https:" ? "wss" : "ws" });
        return context.json(messages, 200, { "Cache-Control": CACHE });
      },
    },
    {
      method: "get",
      path: "/docs",
      access: "public",
      operation: {
        tags: ["Service"],
        summary: "This document for people",
        responses: {
          200: { description: "A page.", content: { "text/html": { schema: z.string() } } },
        },
      },
      handle: async (context) =>
        context.html(referencePage(described()), 200, {
          "Cache-Control": CACHE,
          "Content-Security-Policy": await referencePolicy(),
        }),
    },
  ];
  return all;
}
