/** What a ranker is to the rest: a graph from embedded ids and dense columns to a logit. */
import type { FloatTensor } from '../graph/tensor.ts';
import type { RankerConfig } from './config.ts';
import type { FieldLayout } from './fields.ts';

/** One batch as a graph sees it. */
export interface RankerInputs {
  readonly layout: FieldLayout;
  /** Embeddings of all lookups of an exposure, in the order of the layout. (B, L, E) */
  readonly embedded: FloatTensor;
  /** 1 for a history item, 0 for padding. (B, H) */
  readonly historyMask: FloatTensor;
  /** Standardised; null when there is no such column. (B, N) */
  readonly dense: FloatTensor | null;
}

/** The logit of a click. (B, 1) */
export type Ranker = (inputs: RankerInputs, config: RankerConfig) => FloatTensor;
