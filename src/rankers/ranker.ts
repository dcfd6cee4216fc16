/** What a ranker is to the rest: a graph from embedded ids and dense columns to a logit. */
import type { FloatTensor } from '../graph/tensor.ts';
import type { RankerConfig } from './config.ts';

/**
 * One batch as a graph sees it, K = G·E and Kᵥ = V·E being lengths of an embedded item.
 *
 * What photos add is a part of its own, already gated. A ranker puts it *behind* its other inputs wherever it
 * joins them, so that the parameters of the ranker without images are the leading block of those with: that is
 * how one goes on as the other (`growVector`).
 */
export interface RankerInputs {
  /** User and context, embedded. (B, S·E) */
  readonly situation: FloatTensor;
  readonly candidate: ItemTensors;
  readonly history: ItemTensors;
  /** 1 for a history item, 0 for padding. (B, H) */
  readonly historyMask: FloatTensor;
  /** Base features, standardised; null when there is none. (B, N) */
  readonly dense: FloatTensor | null;
  /** Dense values of the visual feature, standardised; null when there is none. (B, W) */
  readonly visualDense: FloatTensor | null;
  /**
   * How near the candidate is to each history place by their photos, in pieces, all 0 where there is nothing to compare; null
   * when the feature gives none. Only rankers that weigh places take it (`weighsPlaces`). (B, H, Q)
   */
  readonly nearness: FloatTensor | null;
}

/** The candidate (B, …) or the history (B, H, …). */
export interface ItemTensors {
  /** By its ids. (…, K) */
  readonly ids: FloatTensor;
  /** By the codes of its photo; null when there are none. (…, Kᵥ) */
  readonly visual: FloatTensor | null;
}

/** The logit of a click. (B, 1) */
export type Ranker = (inputs: RankerInputs, config: RankerConfig) => FloatTensor;
