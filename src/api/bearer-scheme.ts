/** How a creator proves to be one, as OpenAPI and AsyncAPI describe it. */
export const bearerScheme = {
  type: "http",
  scheme: "bearer",
  bearerFormat: "JWT",
  description: "An access token of the configured issuer, ES256 or RS256, whose `roles` contain `creator`.",
} as const;
