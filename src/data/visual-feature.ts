/** What images give a ranker: dense values per exposure, and codes of items that it embeds like any id. */
import type { ItemCodes } from './clusters.ts';

export interface VisualFeature {
  readonly name: string;
  /**
   * Widths of its groups of dense values, W together. The values of a group are all zero exactly where it has
   * nothing to see, such as for a candidate without a photo.
   */
  readonly groups: readonly number[];
  /** Writes the dense values of these exposures, row by row, over whatever `out` holds. (n) → (n, W) */
  fill(rows: Int32Array, out: Float32Array): void;
  /** Codes of items, each a field of the candidate and of every history item. (V) */
  readonly codes: readonly ItemCodes[];
}

/** Number W of dense values per exposure. */
export function widthOf({ groups }: Pick<VisualFeature, 'groups'>): number {
  return groups.reduce((sum, width) => sum + width, 0);
}
