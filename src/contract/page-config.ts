// What the page learns before it signs anybody in: `GET /config.json`.
import { z } from "zod";

/** Public configuration of the page. */
export const pageConfigSchema = z.object({
  issuer: z.url().meta({ description: "The OIDC issuer to sign in at." }),
  clientId: z.string().meta({ description: "The page's client id there." }),
  audience: z.string().meta({ description: "The audience an access token must have." }),
  socketPath: z.string().meta({ description: "Path of the live socket on this origin." }),
  defaultTimeZone: z
    .string()
    .meta({ description: "The zone that answers use when neither query nor sign-in says one." }),
});
export type PageConfig = z.infer<typeof pageConfigSchema>;
