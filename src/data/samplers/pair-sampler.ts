/** Training samples of behavioural pairs: a click, and something that its user clicked before. */
import { Random } from '../../random.ts';
import type { Dataset } from '../dataset.ts';
import { clickSamples, historyPhotos } from './click-sampler.ts';
import { Dealer } from './dealer.ts';

export interface PairSamplerConfig {
  /** S, pairs per batch. */
  readonly batchSize: number;
  /** At most this many earlier clicks, the newest ones, of which one is drawn. */
  readonly history: number;
  readonly seed: number;
}

export interface PairBatch {
  /** Photos of the clicks as rows in the image cache, each once, ascending. (U) */
  readonly photos: Int32Array;
  /** The row of `photos` that shows each click. (S) */
  readonly clicked: Int32Array;
  /** The photo of an earlier click of the same user, another one, as a row in the image cache. (S) */
  readonly earlier: Int32Array;
}

export interface BehaviourPair {
  readonly clicked: number;
  readonly earlier: readonly number[];
}

/** Deals the clicks of the training split that have another photo before them. */
export class PairSampler extends Dealer<PairBatch> {
  constructor(dataset: Dataset, { batchSize, history, seed }: PairSamplerConfig) {
    const all = behaviourPairs(dataset, history);
    const deck = Random.seeded(seed, 'pair samples');
    super(all.length, batchSize, deck, ({ samples, epoch, batch }) => {
      const random = Random.seeded(seed, `pairs of epoch ${epoch}, batch ${batch}`);
      const pairs = Array.from(samples, (index) => all[index]!);
      const photos = Int32Array.from(new Set(pairs.map(({ clicked }) => clicked))).sort();
      const rowOf = new Map(Array.from(photos, (photo, row) => [photo, row]));
      return {
        photos,
        clicked: Int32Array.from(pairs, ({ clicked }) => rowOf.get(clicked)!),
        earlier: Int32Array.from(pairs, ({ earlier }) => random.pick(earlier)),
      };
    });
  }
}

/**
 * Clicks of the training split and the other photos that their users clicked before, newest first.
 * @param history at most so many of them
 */
export function behaviourPairs(dataset: Dataset, history: number): readonly BehaviourPair[] {
  return clickSamples(dataset, 'train').map(({ pageView, row }) => {
    const clicked = dataset.catalogue.photo[dataset.exposures.item[row]!]!;
    return { clicked, earlier: historyPhotos(dataset, pageView, clicked, history) };
  });
}
