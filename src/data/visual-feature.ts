/** What images give a ranker: dense values per exposure, codes of items that it embeds like any id, and what to attend to. */
import type { ItemCodes } from './embeddings/clusters.ts';

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
  /**
   * Writes how near the candidate is to each place of its history, for the attention of a ranker that weighs them:
   * 1 + cosine, from 0 to 2, and 0 where there is nothing to compare. (n) → (n, H). null: nothing for the attention
   */
  readonly fillNearness: ((rows: Int32Array, out: Float32Array) => void) | null;
}

/** Number W of dense values per exposure. */
export function widthOf({ groups }: Pick<VisualFeature, 'groups'>): number {
  return groups.reduce((sum, width) => sum + width, 0);
}
