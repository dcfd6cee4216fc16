/** A batch with its photos: put together while the step before it runs. */
import type { AugmentationConfig } from '../augmentation/config.ts';
import { drawAugmentations } from '../augmentation/draw.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Sampler } from '../data/dealer.ts';
import type { PhotoBatch } from '../objectives/objective.ts';
import { Random } from '../random.ts';

/**
 * The next batch, what its photos will look like, and where the sampler stands after it.
 * @param ahead reads its photos now, not when they are encoded
 */
export function prepareBatch<Batch extends PhotoBatch>(
  sampler: Sampler<Batch>,
  { images }: Dataset,
  augmentation: AugmentationConfig | null,
  seed: number,
  step: number,
  ahead: boolean,
) {
  const batch = sampler.next();
  const { length: count } = batch.photos;
  const random = Random.seeded(seed, `augmentation of step ${step}`);
  const draws = augmentation === null ? {} : drawAugmentations(augmentation, count, random);
  const pixels = ahead ? images.read(batch.photos) : null;
  const bytes = images.side ** 2 * 3;
  const read = (from: number, to: number) =>
    pixels?.subarray(from * bytes, to * bytes) ?? images.read(batch.photos.subarray(from, to));
  return { batch, photos: { count, read, draws: { ...draws } }, after: sampler.state };
}
