/** What images give a ranker: a few dense values per exposure, computed on the fly from item embeddings. */
import type { Dataset } from '../data/dataset.ts';
import type { ItemEmbeddings } from './item-embeddings.ts';

export interface VisualFeature {
  readonly name: string;
  /** Number W of values per exposure. */
  readonly width: number;
  /** Writes the values of these exposures, row by row, over whatever `out` holds. (n) → (n, W) */
  fill(rows: Int32Array, out: Float32Array): void;
}

/** The part of a dataset that features look at. */
export type FeatureData = Pick<Dataset, 'catalogue' | 'pageViews' | 'exposures'>;

export type CreateFeature = (data: FeatureData, embeddings: ItemEmbeddings) => VisualFeature;

/** The page view of every exposure. (R) */
export function pageViewOfRows({ pageViews, exposures }: FeatureData): Int32Array {
  const pageViewOf = new Int32Array(exposures.item.length);
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    pageViewOf.fill(pageView, pageViews.start[pageView], pageViews.start[pageView + 1]);
  }
  return pageViewOf;
}
