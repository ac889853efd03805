// A local OpenID Connect issuer for development and tests: real authorization code flow with PKCE, real signatures, and
// a page that asks for no password.
import { existsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Provider } from "oidc-provider";
import { creatorIdSchema } from "../../contract/ids.ts";
import { claimDataFolder } from "../data-folder.ts";
import { listenOnLoopback, readBody } from "../loopback-server.ts";
import { openArtifactStore } from "./artifact-store.ts";
import { createIssuerKeys, readIssuerKeys } from "./keys.ts";
import { type MintOptions, mintToken } from "./mint.ts";
import { type IssuerCreator, signInPage } from "./pages.ts";
import { seededCreators } from "./seeded-creators.ts";
import { createProvider, SIGN_IN_PATH } from "./provider.ts";

/** What to serve. */
export interface IssuerOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Keeps keys and sign-ins. */
  readonly dataFolder: string;
  /** Exact origins at which the page is served; the page's root is where a sign-in comes back to. */
  readonly dashboardOrigins: readonly string[];
  /** Who is known by name and zone; the seed's creators unless told. Everyone else may sign in too. */
  readonly creators?: () => Promise<readonly IssuerCreator[]>;
}

/** A running issuer. */
export interface Issuer {
  /** Its identifier. */
  readonly url: string;
  readonly jwksUrl: string;
  /** Signs an access token as a sign-in would give it; `zoneinfo` is a known creator's own unless told. */
  mint(options: MintOptions): Promise<string>;
  close(): Promise<void>;
}

/** How many creators the sign-in page offers by name. */
const OFFERED = 6;

/** A creator id and its field's name, with room for encoding. */
const MAX_FORM_BYTES = 4096;

/**
 * Starts the issuer on loopback.
 * @throws Error with a sentence when the port or the folder is taken or the keys cannot be read
 */
export async function startIssuer(options: IssuerOptions): Promise<Issuer> {
  const { port, dataFolder, dashboardOrigins, creators = seededCreators } = options;
  const release = claimDataFolder(dataFolder);
  try {
    if (!existsSync(join(dataFolder, "keys.json"))) {
      await createIssuerKeys(dataFolder);
    }
    const keys = readIssuerKeys(dataFolder);
    let handle = notReady;
    const server = await listenOnLoopback(port, (request, response) => handle(request, response));
    const url = `http://127.0.0.1:${server.port}`;
    const store = openArtifactStore(join(dataFolder, "artifacts.sqlite"));
    const provider = createProvider({ issuerUrl: url, keys, store, dashboardOrigins, creators });
    handle = handlerOf(provider, { dashboardOrigins, creators });
    return {
      url,
      jwksUrl: `${url}/jwks`,
      mint: async (mintOptions) => {
        const known = (await creators()).find(({ creatorId }) => creatorId === mintOptions.creatorId);
        return mintToken(url, keys, { zoneinfo: known?.zoneinfo, ...mintOptions });
      },
      close: async () => {
        await server.close();
        store.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;
type Shown = Pick<Required<IssuerOptions>, "dashboardOrigins" | "creators">;

/** The issuer's own address is needed to make the provider, and the port is known only once something listens. */
const notReady: Handler = (_request, response) => void response.writeHead(503).end();

function handlerOf(provider: Provider, shown: Shown): Handler {
  const serve = provider.callback();
  return async (request, response) => {
    if (request.url?.startsWith(SIGN_IN_PATH)) {
      await signIn(provider, shown, request, response);
    } else {
      await serve(request, response);
    }
  };
}

/** Shows the choice, or takes it. */
async function signIn(
  provider: Provider,
  { dashboardOrigins, creators }: Shown,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let interaction;
  try {
    interaction = await provider.interactionDetails(request, response);
  } catch {
    // The cookie is gone or the hour is over; the page at the dashboard begins anew.
    response.writeHead(303, { location: `${dashboardOrigins[0] ?? ""}/` }).end();
    return;
  }
  let refused: string | undefined;
  if (request.method === "POST") {
    const form = new URLSearchParams((await readBody(request, MAX_FORM_BYTES)).toString("utf8"));
    const entered = form.get("creatorId")?.trim() ?? "";
    const creatorId = creatorIdSchema.safeParse(entered);
    if (creatorId.success) {
      const login = { accountId: creatorId.data, remember: true };
      await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
      return;
    }
    refused = entered;
  }
  const offered = (await creators()).slice(0, OFFERED);
  const action = `${SIGN_IN_PATH}${interaction.uid}`;
  const page = String(await signInPage({ action, creators: offered, again: interaction.session?.accountId, refused }));
  response.writeHead(refused === undefined ? 200 : 422, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    // A browser applies form-action to where a form's answer redirects as well: back to the page.
    "content-security-policy": [
      "default-src 'none'",
      "style-src 'unsafe-inline'",
      `form-action 'self' ${dashboardOrigins.join(" ")}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join("; "),
  });
  response.end(page);
}
