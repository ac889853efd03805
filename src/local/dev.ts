// `npm run dev`: starts the whole product on this machine and shows where it is.
//   --reset        fresh data
//   --no-traffic   no generated events
//   --port N       the dashboard's port (8787); the stack takes the five after it as well
import { parseArgs } from "node:util";
import { CannotStart, defaultDataFolder } from "./stack/data-folder.ts";
import { PartFailure } from "./stack/part.ts";
import { type Stack, startStack } from "./stack/stack.ts";

/** Longer than the 15 s after which live numbers must call themselves stale, so that a failure can be watched. */
const REVIVE_AFTER_MS = 20_000;

const say = (line: string) => process.stdout.write(`${line}\n`);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        reset: { type: "boolean", default: false },
        "no-traffic": { type: "boolean", default: false },
        port: { type: "string", default: "8787" },
      },
    });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 1_024 || port > 65_000) {
      throw new CannotStart(`--port takes a number from 1024 to 65000, not ${values.port}.`);
    }
    return { reset: values.reset, traffic: !values["no-traffic"], port };
  } catch (error) {
    if (error instanceof CannotStart) {
      throw error;
    }
    throw new CannotStart(
      `${error instanceof Error ? error.message : String(error)}. Options: --reset, --no-traffic, --port N.`,
    );
  }
}

/** Says what went wrong and what to do, without a stack trace. */
function explain(error: unknown): string {
  if (error instanceof CannotStart) {
    return error.message;
  }
  if (error instanceof PartFailure) {
    return (
      `${error.message}. The end of its log:\n${error.tail}\n` +
      `The whole log is ${dataFolder}/logs/${error.part}.log. If its data is damaged, start fresh by npm run dev -- --reset.`
    );
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const dataFolder = process.env["DEV_DATA"] ?? defaultDataFolder;
let stack: Stack | undefined;
let stopping: Promise<void> | undefined;

function stop(code: number): Promise<void> {
  stopping ??= (async () => {
    say("Stopping …");
    await stack?.stop();
    process.exit(code);
  })();
  return stopping;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (stack) {
      void stop(0);
    } else {
      wantsToStop = true;
      say("Stopping as soon as what is starting has come up …");
    }
  });
}
let wantsToStop = false;

try {
  const started = performance.now();
  stack = await startStack({
    ...readOptions(),
    dataFolder,
    seed: "full",
    environment: process.env,
    progress: say,
    onPartFailure: (failure) => {
      const next = `The rest goes on; ${failure.part} is started again in ${REVIVE_AFTER_MS / 1_000} s.`;
      process.stderr.write(`${explain(failure)}\n${next}\n`);
    },
    reviveAfterMs: REVIVE_AFTER_MS,
  });
  if (wantsToStop) {
    await stop(0);
  }
  const { note } = stack;
  say(`
Dashboard  ${note.dashboardUrl}
Sign in    choose a creator on the sign-in page; ${note.demoCreatorId} is the one with the most to see
API        ${note.apiUrl}/docs
Token      npm run --silent token -- --creator ${note.demoCreatorId}
Data       ${note.dataFolder} (fresh: npm run dev -- --reset), logs in logs/
Stop       Ctrl-C
Ready in ${((performance.now() - started) / 1_000).toFixed(1)} s.
`);
  const { dashboardUrl, apiUrl, issuerUrl, kafkaRestUrl, kafkaRestUsername, kafkaRestPassword, demoCreatorId } = note;
  say(
    `READY ${JSON.stringify({ dashboardUrl, apiUrl, issuerUrl, kafkaRestUrl, kafkaRestUsername, kafkaRestPassword, demoCreatorId })}`,
  );
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}
