// What the API Worker's tests in workerd need from outside it, started once in Node: an issuer's published keys and a
// migrated Postgres behind the Neon protocol.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import type { TestProject } from "vitest/node";
import { startPostgresEndpoint } from "../../../src/local/postgres/endpoint.ts";
import { migratePostgres } from "../../../src/store/postgres/migrate.ts";
import type { ApiTestServices } from "./provided-context.ts";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const pairs = { ES256: await newPair("ES256"), RS256: await newPair("RS256") };
  const keys = JSON.stringify({ keys: Object.values(pairs).map(({ publicJwk }) => publicJwk) });
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/jwk-set+json").end(keys);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A TCP server's address is an object; only a pipe's is a string.
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;

  const postgres = await startPostgresEndpoint();
  await migratePostgres(postgres, { readContract: true });

  project.provide("apiServices", {
    issuer,
    jwksUrl: `${issuer}/jwks`,
    signingKeys: { ES256: pairs.ES256.privateJwk, RS256: pairs.RS256.privateJwk },
    databaseUrl: postgres.connectionString,
    neonEndpoint: postgres.endpoint,
  } satisfies ApiTestServices);
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await postgres.close();
  };
}

async function newPair(algorithm: "ES256" | "RS256"): Promise<{ publicJwk: JWK; privateJwk: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const names = { kid: `test-${algorithm}`, alg: algorithm, use: "sig" };
  return {
    publicJwk: { ...(await exportJWK(publicKey)), ...names },
    privateJwk: { ...(await exportJWK(privateKey)), ...names },
  };
}
