// Who watches: countries and devices in the proportions of a Nigeria-centred service.
import type { Random } from "./random.ts";

/** Countries by weight in per cent: ours, in the order of the largest English-speaking African audiences and diasporas. */
const countries = [
  { code: "NG", weight: 58 },
  { code: "GH", weight: 9 },
  { code: "KE", weight: 6 },
  { code: "ZA", weight: 6 },
  { code: "GB", weight: 6 },
  { code: "US", weight: 6 },
  { code: "CM", weight: 3 },
  { code: "CA", weight: 2 },
  { code: "CI", weight: 2 },
  { code: "AE", weight: 1 },
  { code: "DE", weight: 1 },
] as const;

/** Devices by weight in per cent: ours, mobile first. */
const devices = [
  { name: "mobile", weight: 82 },
  { name: "desktop", weight: 9 },
  { name: "tv", weight: 5 },
  { name: "tablet", weight: 3 },
  { name: "other", weight: 1 },
] as const;

/** Where and on what one viewer watches. */
export interface Viewer {
  readonly country: (typeof countries)[number]["code"];
  readonly device: (typeof devices)[number]["name"];
}

/** Draws a viewer. */
export function drawViewer(random: Random): Viewer {
  return {
    country: random.weighted(countries, (country) => country.weight).code,
    device: random.weighted(devices, (device) => device.weight).name,
  };
}
