/** Makes the compiler show a missing case; at run time a value outside its type is a bug. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
