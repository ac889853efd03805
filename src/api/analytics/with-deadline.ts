// What an answer can do without is not waited for longer than it is worth.

/** Patience with what only adds to an answer (ours): the whole of it must be there within 2 s. */
const ADDITION_DEADLINE_MS = 1_200;

/** The value, or `otherwise` when it fails in one of the expected ways or takes too long. */
export async function orElse<Value, Otherwise>(
  value: Promise<Value>,
  otherwise: Otherwise,
  isExpected: (error: unknown) => boolean = () => true,
): Promise<Value | Otherwise> {
  const { promise: patience, resolve: giveUp } = Promise.withResolvers<Otherwise>();
  const timer = setTimeout(() => giveUp(otherwise), ADDITION_DEADLINE_MS);
  try {
    return await Promise.race([value, patience]);
  } catch (error) {
    if (isExpected(error)) {
      return otherwise;
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
