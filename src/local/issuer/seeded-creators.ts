// Whom the issuer knows by name: the seed's creators.
import { createCatalogue } from "../seed/catalogue.ts";
import type { IssuerCreator } from "./pages.ts";

let creators: readonly IssuerCreator[] | undefined;

/** Every creator of the full seed, made once: ids, names and zones depend on no instant. */
export async function seededCreators(): Promise<readonly IssuerCreator[]> {
  creators ??= createCatalogue("full", 0).map(({ creatorId, name, zoneinfo }) => ({ creatorId, name, zoneinfo }));
  return creators;
}
