// A local engine as a process of its own: starts, says so, and ends in order when it is told to.

/**
 * Starts something and closes it on SIGINT or SIGTERM, so that its data is complete on disk.
 * A failed start prints its sentence and ends the process with status 1.
 */
export async function runUntilStopped(name: string, start: () => Promise<{ close(): Promise<void> }>): Promise<void> {
  let running: { close(): Promise<void> };
  try {
    running = await start();
  } catch (error) {
    console.error(`${name} could not start: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
  let isStopping = false;
  const stop = () => {
    if (isStopping) {
      return;
    }
    isStopping = true;
    running.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(`${name} could not stop in order: ${String(error)}`);
        process.exit(1);
      },
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  console.log(`${name} is ready`);
}

/**
 * An environment variable that must be set.
 * @throws Error with a sentence when it is missing or empty
 */
export function requiredVariable(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`The environment variable ${name} is not set.`);
  }
  return value;
}
