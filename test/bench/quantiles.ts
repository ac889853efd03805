// Order statistics of latency samples.

/** The value below which `share` (0 to 1) of the samples lie, by the nearest-rank method. NaN without samples. */
export function quantile(samples: Float64Array, share: number): number {
  const sorted = samples.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN;
}

/** One decimal is what a wall clock on a shared machine can carry. */
export function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
