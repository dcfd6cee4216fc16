/** What features are made of, and how. */

import type { FeatureData } from '../data/dataset.ts';
import type { ItemCodes } from '../data/embeddings/clusters.ts';
import type { VisualFeature } from '../data/visual-feature.ts';
import type { EmbeddedItems } from './item-embeddings.ts';

/** What features are made of. */
export interface VisualInputs {
  readonly embeddings: EmbeddedItems;
  /** The nearest centre of each item, for one or several numbers of clusters. */
  readonly clusters: readonly ItemCodes[];
  /** Residual-quantised codes of each item, a level each. */
  readonly semanticIds: readonly ItemCodes[];
}

export type CreateFeature = (data: FeatureData, inputs: VisualInputs) => VisualFeature;
