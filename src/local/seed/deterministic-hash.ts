// The seed's only source of chance: a hash of whole numbers, written once for JavaScript and once for ClickHouse, so
// that what the database makes of numbers() can be computed again, row by row, without it.

/** Odd numbers whose multiples spread well: Knuth's for joining, lowbias32's own two for mixing. */
const JOINING = 0x9e3779b1;
const MIXING = [0x7feb352d, 0x846ca68b] as const;
const LOW_32_BITS = 0xffffffff;

/** Mixes the bits of a 32-bit number (Chris Wellons's lowbias32). Unsigned. */
export function mix32(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), MIXING[0]) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), MIXING[1]) >>> 0;
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Joins a part to a hash: `join32(join32(a, b), c)` depends on all three and their order. */
export function join32(hash: number, part: number): number {
  return mix32((Math.imul(hash, JOINING) + part) >>> 0);
}

const low = (expression: string) => `bitAnd(${expression}, ${LOW_32_BITS})`;
const shifted = (name: string, bits: number) => `bitXor(${name}, bitShiftRight(${name}, ${bits}))`;

/**
 * The same as `join32` in ClickHouse: aliases for a WITH clause whose last is `name`. `hash` and `part` are names or
 * literals of whole numbers below 2^32.
 */
export function join32Sql(name: string, hash: string, part: string): string {
  const joined = low(`toUInt64(${hash}) * ${JOINING} + ${part}`);
  return [
    `toUInt64(${joined}) AS ${name}_0`,
    `${low(`${shifted(`${name}_0`, 16)} * ${MIXING[0]}`)} AS ${name}_1`,
    `${low(`${shifted(`${name}_1`, 15)} * ${MIXING[1]}`)} AS ${name}_2`,
    `${shifted(`${name}_2`, 16)} AS ${name}`,
  ].join(",\n  ");
}

/** A stream of chances that depends on its name alone. */
export interface Chance {
  /** A whole number from `minimum` to `maximum`, both included. */
  between(minimum: number, maximum: number): number;
  /** One of the values. */
  pick<Value>(values: readonly Value[]): Value;
  /** True in `permille` of 1,000 cases. */
  happens(permille: number): boolean;
}

/** Begins a stream; the numbers name it. */
export function chanceOf(...name: number[]): Chance {
  let state = name.reduce(join32, 0x5eed);
  const next = () => (state = join32(state, 1));
  const between = (minimum: number, maximum: number) => minimum + (next() % (maximum - minimum + 1));
  return {
    between,
    happens: (permille) => between(1, 1_000) <= permille,
    pick: (values) => {
      const value = values[between(0, values.length - 1)];
      if (value === undefined) {
        throw new RangeError("nothing to pick from");
      }
      return value;
    },
  };
}
