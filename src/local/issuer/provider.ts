// The OpenID provider: one public client, the page; access tokens as JWTs for the API; every creator may sign in.
import { Provider, type Configuration, type KoaContextWithOIDC } from "oidc-provider";
import { creatorIdSchema } from "../../contract/ids.ts";
import type { ArtifactStore } from "./artifact-store.ts";
import type { IssuerKeys } from "./keys.ts";
import { AUDIENCE, PAGE_CLIENT_ID } from "./mint.ts";
import { noticePage, signOutPage, type IssuerCreator } from "./pages.ts";

/** The API as a resource (RFC 8707), granted without being asked for. */
const API_RESOURCE = "urn:creator-dashboard:api";

const DAY_SECONDS = 24 * 60 * 60;
/** Short enough that renewing is part of every long visit, as with the providers creators meet in production. */
const ACCESS_TOKEN_SECONDS = 15 * 60;
/** What the library itself takes for a session. */
const SESSION_SECONDS = 14 * DAY_SECONDS;

/** What makes a provider. */
export interface ProviderOptions {
  readonly issuerUrl: string;
  readonly keys: IssuerKeys;
  readonly store: ArtifactStore;
  /** Exact origins at which the page is served. */
  readonly dashboardOrigins: readonly string[];
  readonly creators: () => Promise<readonly IssuerCreator[]>;
}

/** Where a person chooses who to be, below the issuer's address. */
export const SIGN_IN_PATH = "/sign-in/";

/** Makes the provider. It serves everything but the sign-in page itself. */
export function createProvider(options: ProviderOptions): Provider {
  const provider = new Provider(options.issuerUrl, configurationOf(options));
  provider.on("server_error", (_context, error) => console.error(`Issuer: ${error.stack ?? error.message}`));
  return provider;
}

function configurationOf({ keys, store, dashboardOrigins, creators }: ProviderOptions): Configuration {
  const pages = dashboardOrigins.map((origin) => `${origin}/`);
  return {
    adapter: store.adapter,
    jwks: { keys: [keys.signing] },
    cookies: { keys: [keys.cookie] },
    clients: [
      {
        client_id: PAGE_CLIENT_ID,
        client_name: "Creator dashboard",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        redirect_uris: pages,
        post_logout_redirect_uris: pages,
        id_token_signed_response_alg: "ES256",
      },
    ],
    responseTypes: ["code"],
    scopes: ["openid", "offline_access"],
    enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
    clientBasedCORS: (_context, origin) => dashboardOrigins.includes(origin),
    interactions: { url: (_context, interaction) => `${SIGN_IN_PATH}${interaction.uid}` },
    findAccount: (_context, id) =>
      creatorIdSchema.safeParse(id).success ? { accountId: id, claims: () => ({ sub: id }) } : undefined,
    loadExistingGrant: grantEverything,
    // The page keeps no cookie of ours and may be on another site than the issuer: it renews by refresh token.
    issueRefreshToken: (_context, client) => client.grantTypeAllowed("refresh_token"),
    extraTokenClaims: async (context, token) => {
      const id = "accountId" in token ? token.accountId : undefined;
      const creator = (await creators()).find(({ creatorId }) => creatorId === id);
      return {
        roles: ["creator"],
        auth_time: signedInAt(context),
        ...(creator === undefined ? {} : { zoneinfo: creator.zoneinfo }),
      };
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => API_RESOURCE,
        getResourceServerInfo: () => ({
          scope: "",
          audience: AUDIENCE,
          accessTokenFormat: "jwt",
          accessTokenTTL: ACCESS_TOKEN_SECONDS,
          jwt: { sign: { alg: "ES256" } },
        }),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (context, form) => {
          const { IdTokenHint: hint } = context.oidc.entities;
          // A link from anywhere may lead here; only the page that holds the session's own ID token has asked already.
          const isAsked = hint?.payload.sub !== context.oidc.session?.accountId;
          context.body = String(await signOutPage(form, isAsked));
        },
        postLogoutSuccessSource: async (context) => {
          context.body = String(await noticePage("Signed out", "You can close this page."));
        },
      },
    },
    renderError: async (context, out) => {
      context.type = "html";
      context.body = String(await noticePage("That did not work", out.error_description ?? out.error));
    },
    ttl: {
      AccessToken: ACCESS_TOKEN_SECONDS,
      AuthorizationCode: 60,
      IdToken: ACCESS_TOKEN_SECONDS,
      Interaction: 60 * 60,
      Session: SESSION_SECONDS,
      Grant: SESSION_SECONDS,
      RefreshToken: SESSION_SECONDS,
    },
  };
}

/** The page is ours: nobody is asked whether it may have what it is made for. */
async function grantEverything(context: KoaContextWithOIDC) {
  const { client, session, provider } = context.oidc;
  if (client === undefined || session?.accountId === undefined) {
    return undefined;
  }
  const existing = session.grantIdFor(client.clientId);
  if (existing !== undefined) {
    const found = await provider.Grant.find(existing);
    if (found !== undefined && found.accountId === session.accountId) {
      return found;
    }
  }
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope("openid offline_access");
  grant.addResourceScope(API_RESOURCE, "");
  await grant.save();
  return grant;
}

/** When the person last signed in: known to the code or the refresh token that is being exchanged. */
function signedInAt(context: KoaContextWithOIDC): number | undefined {
  const { AuthorizationCode: code, RefreshToken: refreshToken } = context.oidc.entities;
  return (code ?? refreshToken)?.authTime;
}
