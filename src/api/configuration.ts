// The only reader of raw environment strings. Parsed once per environment; a Worker that is configured wrongly answers
// nothing but /healthz, and its log names the variables at fault, never their values.
import { z } from "zod";

/** An exact origin as browsers send it: scheme, host and port, nothing after. */
const originSchema = z.string().refine((origin) => URL.canParse(origin) && new URL(origin).origin === origin, {
  error: "expected exact origins such as https://dashboard.example, separated by commas",
});

const originsSchema = z
  .string()
  .transform((list) => list.split(",").map((origin) => origin.trim()))
  .pipe(z.array(originSchema).min(1));

const httpUrlSchema = z.url({ protocol: /^https?$/ });

/** A variable that is absent or empty means the same: not given. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());

const wholeNumber = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);

const environmentSchema = z.object({
  AUTH_ISSUER: httpUrlSchema,
  AUTH_AUDIENCE: z.string().min(1),
  AUTH_JWKS_URL: httpUrlSchema,
  DASHBOARD_CLIENT_ID: z.string().min(1),
  ALLOWED_ORIGINS: originsSchema,
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  NEON_ENDPOINT: optional(httpUrlSchema),
  CLICKHOUSE_URL: httpUrlSchema,
  CLICKHOUSE_DATABASE: z.string().min(1),
  CLICKHOUSE_USERNAME: z.string().min(1),
  CLICKHOUSE_PASSWORD: z.string(),
  // A day: beyond it the step-up would protect nothing.
  PAYOUT_MAX_AUTH_AGE_SECONDS: wholeNumber(1, 86_400),
  // 0 to 120 hours, the five days of the strictest marketplaces.
  PAYOUT_HOLD_HOURS: wholeNumber(0, 120),
  // Never below 10, however it is configured.
  PRIVACY_THRESHOLD: wholeNumber(10, 1_000_000),
});

/** What the API Worker runs by. Durations carry their unit. */
export interface Configuration {
  readonly auth: { readonly issuer: string; readonly audience: string; readonly jwksUrl: string };
  readonly dashboardClientId: string;
  readonly allowedOrigins: readonly string[];
  readonly postgres: { readonly connectionString: string; readonly endpoint?: string | undefined };
  readonly clickhouse: {
    readonly url: string;
    readonly database: string;
    readonly username: string;
    readonly password: string;
  };
  readonly payout: { readonly maxAuthAgeSeconds: number; readonly holdHours: number };
  readonly privacyThreshold: number;
}

/** The environment does not say what the Worker needs. `variables` are names only. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly variables: readonly string[];

  constructor(variables: readonly string[]) {
    super(`missing or malformed variables: ${variables.join(", ")}`);
    this.variables = variables;
  }
}

const parsed = new WeakMap<object, Configuration>();

/**
 * The configuration in `env`, parsed the first time.
 * @throws ConfigurationError naming every variable at fault
 */
export function configurationOf(env: object): Configuration {
  const known = parsed.get(env);
  if (known) {
    return known;
  }
  const result = environmentSchema.safeParse(env);
  if (!result.success) {
    throw new ConfigurationError([...new Set(result.error.issues.map(({ path }) => String(path[0])))]);
  }
  const configuration = arrange(result.data);
  parsed.set(env, configuration);
  return configuration;
}

function arrange(variables: z.output<typeof environmentSchema>): Configuration {
  return {
    auth: {
      issuer: variables.AUTH_ISSUER,
      audience: variables.AUTH_AUDIENCE,
      jwksUrl: variables.AUTH_JWKS_URL,
    },
    dashboardClientId: variables.DASHBOARD_CLIENT_ID,
    allowedOrigins: variables.ALLOWED_ORIGINS,
    postgres: { connectionString: variables.DATABASE_URL, endpoint: variables.NEON_ENDPOINT },
    clickhouse: {
      url: variables.CLICKHOUSE_URL,
      database: variables.CLICKHOUSE_DATABASE,
      username: variables.CLICKHOUSE_USERNAME,
      password: variables.CLICKHOUSE_PASSWORD,
    },
    payout: {
      maxAuthAgeSeconds: variables.PAYOUT_MAX_AUTH_AGE_SECONDS,
      holdHours: variables.PAYOUT_HOLD_HOURS,
    },
    privacyThreshold: variables.PRIVACY_THRESHOLD,
  };
}
