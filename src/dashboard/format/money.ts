// Minor units as money, exactly: strings all the way, never a floating-point number.
import { LOCALE } from "./numbers.ts";

/** Decimal places per ISO 4217 code, pinned: runtimes' own tables differ. The currencies a payment can come in. */
const decimals: Readonly<Record<string, number>> = {
  NGN: 2,
  USD: 2,
  EUR: 2,
  GBP: 2,
  GHS: 2,
  KES: 2,
  ZAR: 2,
  CAD: 2,
  JPY: 0,
  UGX: 0,
  XOF: 0,
  XAF: 0,
  KWD: 3,
};

/** ₦1,250,000.00 for "125000000" NGN; null for a currency whose decimal places are not known here. */
export function formatMoney(minorUnits: string, currency: string): string | null {
  const places = decimals[currency];
  if (places === undefined) {
    return null;
  }
  const format = new Intl.NumberFormat(LOCALE, {
    style: "currency",
    currency,
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  // The formatter is exact on decimal strings; the type only admits literals.
  return format.format(decimalOf(minorUnits, places) as `${number}`);
}

/** "1250000.00" for "125000000" with 2 places. `minorUnits` is an optional sign and digits. */
export function decimalOf(minorUnits: string, places: number): string {
  const negative = minorUnits.startsWith("-");
  const digits = minorUnits.replace("-", "").padStart(places + 1, "0");
  const point = digits.length - places;
  const decimal = places === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return negative ? `-${decimal}` : decimal;
}
