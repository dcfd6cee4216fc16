/** Training samples of objectives that need no clicks: photos, dealt in random order. */
import { Random } from '../../random.ts';
import { Dealer } from './dealer.ts';

export interface PhotoSamplerConfig {
  /** S, photos per batch. */
  readonly batchSize: number;
  /** How often each photo of a batch stands in it, one right after the other. */
  readonly views: number;
  readonly seed: number;
}

/** What every batch has, beside other arrays by name. */
export interface PhotoBatch {
  /** Rows in the image cache, repeated where views are to differ. (S · views) */
  readonly photos: Int32Array;
}

/** Deals photos. */
export class PhotoSampler extends Dealer<PhotoBatch> {
  /** @param all rows in the image cache, each once */
  constructor(all: Int32Array, { batchSize, views, seed }: PhotoSamplerConfig) {
    super(all.length, batchSize, Random.seeded(seed, 'photo samples'), ({ samples }) => ({
      photos: Int32Array.from(
        { length: samples.length * views },
        (_, row) => all[samples[Math.floor(row / views)]!]!,
      ),
    }));
  }
}
