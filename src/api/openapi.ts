// The OpenAPI 3.1 document, made from the routes themselves.
import { createDocument, type ZodOpenApiPathsObject } from "zod-openapi";
import { bearerScheme } from "./bearer-scheme.ts";
import type { Route } from "./route.ts";

/** What `createDocument` returns: a plain JSON document. */
export type OpenApiDocument = ReturnType<typeof createDocument>;

/** Describes the routes. */
export function describeRoutes(routes: readonly Route[]): OpenApiDocument {
  const paths: ZodOpenApiPathsObject = {};
  for (const { path, method, operation } of routes) {
    paths[path] = { ...paths[path], [method]: { operationId: operationId(method, path), ...operation } };
  }
  return createDocument({
    openapi: "3.1.1",
    info: {
      title: "Creator dashboard API",
      version: "1.0.0",
      description:
        "What a creator's dashboard shows. The creator is the token's subject. Every answer says what it was asked and when it was true; an unknown parameter is an error; errors are RFC 9457 problems with a stable `code`.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      securitySchemes: { bearer: bearerScheme },
    },
  });
}

function operationId(method: string, path: string): string {
  const words = path.match(/[A-Za-z0-9]+/g) ?? [];
  return [method, ...words.filter((word) => word !== "api" && word !== "v1")]
    .map((word, index) => (index === 0 ? word : word.slice(0, 1).toUpperCase() + word.slice(1)))
    .join("");
}
