// A number that is not known: a dash with its reason, never 0.

/** `reason` is a whole sentence. */
export function Unknown({ reason }: { reason: string }) {
  return (
    <span class="unknown" title={reason}>
      <span aria-hidden="true">–</span>
      <span class="visually-hidden">not known. {reason}</span>
    </span>
  );
}

/** The number as `format` writes it, or a dash with the reason. */
export function Known<T>(props: { value: T | null; format: (value: T) => string; reason: string }) {
  return props.value === null ? <Unknown reason={props.reason} /> : <>{props.format(props.value)}</>;
}
