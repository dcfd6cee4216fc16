/** A batch with its photos: put together while the step before it runs. */
import type { AugmentationConfig } from '../augmentation/config.ts';
import { drawAugmentations } from '../augmentation/draw.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Sampler } from '../data/dealer.ts';
import type { PhotoBatch } from '../objectives/objective.ts';
import { Random } from '../random.ts';
import type { PhotoFeeds } from './contrastive-step.ts';
import { wholeChunks } from './step-models.ts';

/**
 * The next batch, what its photos will look like, and where the sampler stands after it.
 * @param ahead photos of a chunk, where all that the step encodes are read now; null: they are read when they are encoded
 */
export function prepareBatch<Batch extends PhotoBatch>(
  sampler: Sampler<Batch>,
  { images }: Dataset,
  augmentation: AugmentationConfig | null,
  seed: number,
  step: number,
  ahead: number | null,
) {
  const batch = sampler.next();
  const { length: count } = batch.photos;
  const random = Random.seeded(seed, `augmentation of step ${step}`);
  const draws = augmentation === null ? {} : drawAugmentations(augmentation, count, random);
  const pixels = ahead === null ? null : images.read(batch.photos, wholeChunks(count, ahead));
  const bytes = images.side ** 2 * 3;
  const photos: PhotoFeeds = {
    count,
    read: (from, to) =>
      pixels?.subarray(from * bytes, to * bytes) ?? images.read(batch.photos.subarray(from, to), to - from),
    draws: { ...draws },
  };
  return { batch, photos, after: sampler.state };
}
