// Validation small enough for a page: a shape takes an unknown value and gives back a clean copy, or throws Misshapen.
// Objects keep only the members named, as the service's own schemas do. No dependency.

/** The value does not have the shape; `path` says where, as `content[3].views`. */
export class Misshapen extends Error {
  override name = "Misshapen";
  readonly path: string;

  constructor(path: string, expected: string) {
    super(`${path === "" ? "value" : path}: expected ${expected}`);
    this.path = path;
  }
}

/** Gives a clean copy of the value; throws {@link Misshapen} when it does not fit. `path` only names the place. */
export type Shape<T> = (value: unknown, path: string) => T;

/** The type a shape gives. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/** A string for which `accepts` holds; `expected` names it in the error. */
export function text(accepts: (value: string) => boolean = () => true, expected = "a string"): Shape<string> {
  return (value, path) => {
    if (typeof value !== "string" || !accepts(value)) {
      throw new Misshapen(path, expected);
    }
    return value;
  };
}

/** A finite number of at least `minimum`. */
export function number(minimum = Number.NEGATIVE_INFINITY): Shape<number> {
  return (value, path) => {
    if (typeof value !== "number" || !Number.isFinite(value) || value < minimum) {
      throw new Misshapen(path, `a number of at least ${minimum}`);
    }
    return value;
  };
}

/** An integer that a double holds exactly, of at least `minimum`. */
export function integer(minimum = Number.MIN_SAFE_INTEGER): Shape<number> {
  return (value, path) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < minimum) {
      throw new Misshapen(path, `an integer of at least ${minimum}`);
    }
    return value;
  };
}

/** True or false. */
export const flag: Shape<boolean> = (value, path) => {
  if (typeof value !== "boolean") {
    throw new Misshapen(path, "true or false");
  }
  return value;
};

/** One of the strings given. */
export function oneOf<const T extends string>(...choices: readonly T[]): Shape<T> {
  return (value, path) => {
    const choice = choices.find((each) => each === value);
    if (choice === undefined) {
      throw new Misshapen(path, `one of ${choices.join(", ")}`);
    }
    return choice;
  };
}

/** The shape, or null. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

/** A list of at most `longest`. */
export function list<T>(shape: Shape<T>, longest = Number.POSITIVE_INFINITY): Shape<T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > longest) {
      throw new Misshapen(path, longest === Number.POSITIVE_INFINITY ? "a list" : `a list of at most ${longest}`);
    }
    return value.map((element: unknown, index) => shape(element, `${path}[${index}]`));
  };
}

type Members = Record<string, Shape<unknown>>;
type Required<M extends Members> = { [K in keyof M]: Shaped<M[K]> };
type Optional<M extends Members> = { [K in keyof M]?: Shaped<M[K]> | undefined };

/** An object with these members; others are dropped. */
export function object<R extends Members>(required: R): Shape<Required<R>> {
  return objectWith(required, {});
}

/** An object with all of `required`, and those of `optional` that are there; other members are dropped. */
export function objectWith<R extends Members, O extends Members>(
  required: R,
  optional: O,
): Shape<Required<R> & Optional<O>> {
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new Misshapen(path, "an object");
    }
    const members = value as Record<string, unknown>; // an object that is no array has members
    const prefix = path === "" ? "" : `${path}.`;
    const copy: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(required)) {
      copy[name] = shape(members[name], prefix + name);
    }
    for (const [name, shape] of Object.entries(optional)) {
      if (members[name] !== undefined) {
        copy[name] = shape(members[name], prefix + name);
      }
    }
    return copy as Required<R> & Optional<O>; // every member has just been given by its own shape
  };
}
