import { expect, test } from "vitest";
import { describeRoutes } from "../../../src/api/openapi.ts";
import { routes } from "../../../src/api/routes.ts";

test("the document describes the registered routes, all of them and no other", () => {
  const described = Object.entries(describeRoutes(routes).paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  );

  expect(new Set(described)).toEqual(new Set(routes.map(({ method, path }) => `${method} ${path}`)));
  expect(described).toHaveLength(routes.length);
});

test("every operation that needs a creator says so, and which problems it answers", () => {
  const { paths = {} } = describeRoutes(routes);
  for (const { path, method, access } of routes) {
    const operation = paths[path]?.[method];
    const statuses = Object.keys(operation?.responses ?? {});

    expect({ path, secured: access === "public" || operation?.security !== undefined }).toEqual({
      path,
      secured: true,
    });
    expect(access === "public" ? ["401", "403", "429"] : statuses).toEqual(
      expect.arrayContaining(["401", "403", "429"]),
    );
  }
});
