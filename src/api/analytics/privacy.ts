// No cell of an audience is so small that it tells of single people.
import type { AudienceCell } from "../../store/clickhouse/audience.ts";

/** The name under which small cells go together. */
export const OTHER = "other";

/** Cells to show as they are, and those that are too small for it. */
export interface SortedCells {
  shown: AudienceCell[];
  small: AudienceCell[];
}

/** Tells cells with fewer distinct viewers than the threshold from the rest. What is called `other` already goes with them. */
export function sortByThreshold(cells: readonly AudienceCell[], threshold: number): SortedCells {
  const isSmall = ({ viewers }: AudienceCell) => viewers < threshold;
  const small = cells.filter(isSmall);
  const rest = cells.filter((cell) => !isSmall(cell));
  // One `other` in the answer, not two.
  return small.length === 0
    ? { shown: rest, small }
    : {
        shown: rest.filter(({ name }) => name !== OTHER),
        small: [...rest.filter(({ name }) => name === OTHER), ...small],
      };
}

/**
 * The cells of an answer: those shown, and the small ones together as `other` with their distinct viewers, unless even
 * these are too few.
 */
export function foldSmall({ shown, small }: SortedCells, viewersOfSmall: number, threshold: number) {
  const cells = shown.map(({ name, viewers, views }) => ({ name, viewers, views }));
  if (small.length === 0 || viewersOfSmall < threshold) {
    return cells;
  }
  return [...cells, { name: OTHER, viewers: viewersOfSmall, views: small.reduce((sum, { views }) => sum + views, 0) }];
}
