/** What images give a ranker: dense values per exposure, and codes of items that it embeds like any id. */
import type { ItemCodes } from '../data/clusters.ts';
import type { Dataset } from '../data/dataset.ts';
import type { ItemEmbeddings } from './item-embeddings.ts';

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

/** The part of a dataset that features look at. */
export type FeatureData = Pick<Dataset, 'catalogue' | 'pageViews' | 'exposures'>;

/** What features are made of. */
export interface VisualInputs {
  readonly embeddings: ItemEmbeddings;
  /** The nearest centre of each item, for one or several numbers of clusters. */
  readonly clusters: readonly ItemCodes[];
  /** Residual-quantised codes of each item, a level each. */
  readonly semanticIds: readonly ItemCodes[];
}

export type CreateFeature = (data: FeatureData, inputs: VisualInputs) => VisualFeature;

/** Number W of dense values per exposure. */
export function widthOf({ groups }: Pick<VisualFeature, 'groups'>): number {
  return groups.reduce((sum, width) => sum + width, 0);
}

/** The page view of every exposure. (R) */
export function pageViewOfRows({ pageViews, exposures }: FeatureData): Int32Array {
  const pageViewOf = new Int32Array(exposures.item.length);
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    pageViewOf.fill(pageView, pageViews.start[pageView], pageViews.start[pageView + 1]);
  }
  return pageViewOf;
}
