/** A batch with its photos: put together while the step before it runs. */
import type { AugmentationConfig } from '../augmentation/config.ts';
import { drawAugmentations } from '../augmentation/draw.ts';
import type { Sampler } from '../data/samplers/dealer.ts';
import type { HiddenUnits, SeenPhotos } from '../encoders/encoder.ts';
import type { PhotoBatch } from '../objectives/objective.ts';
import { Random } from '../random.ts';
import type { PhotoFeeds } from './contrastive-step.ts';
import type { Span } from './spans.ts';
import { keptUnits } from './step-models.ts';

/** What a step does to photos before it learns from them. */
export interface Alteration {
  /** Of pixels; null leaves them. */
  readonly augmentation: AugmentationConfig | null;
  /** Share of the features of each photo that are hidden, the others growing as much; 0 for pixels. */
  readonly dropout: number;
  /** Of a hidden layer of the encoder; null for none. */
  readonly hides: HiddenUnits | null;
}

/**
 * The next batch, what its photos will look like, and where the sampler stands after it.
 * @param ahead of so many photos those that this process encodes, which are read now; null: they are read when they are encoded
 */
export function prepareBatch<Batch extends PhotoBatch>(
  sampler: Sampler<Batch>,
  seen: SeenPhotos,
  { augmentation, dropout, hides }: Alteration,
  seed: number,
  step: number,
  ahead: ((count: number) => Span) | null,
) {
  const batch = sampler.next();
  const { length: count } = batch.photos;
  const random = Random.seeded(seed, `augmentation of step ${step}`);
  const altered = augmentation === null ? {} : drawAugmentations(augmentation, count, random);
  const kept = hides === null ? {} : { [keptUnits]: drawKept(hides, count, seed, step) };
  const readAltered = (from: number, to: number) => {
    const values = seen.read(batch.photos.subarray(from, to), to - from);
    // The same however often a photo of the step is read.
    if (dropout > 0)
      hide(values, dropout, to - from, (row) => `dropout of step ${step}, photo ${from + row}`, seed);
    return values;
  };
  const now = ahead?.(count) ?? { from: 0, to: 0 };
  const read = ahead === null ? null : readAltered(now.from, now.to);
  const length = read === null ? 0 : read.length / (now.to - now.from);
  const photos: PhotoFeeds = {
    count,
    read: (from, to) =>
      read?.subarray((from - now.from) * length, (to - now.from) * length) ?? readAltered(from, to),
    draws: { ...altered, ...kept },
  };
  return { batch, photos, after: sampler.state };
}

/** Which units of each photo are kept: their factor. (count, units) */
function drawKept({ units, share }: HiddenUnits, count: number, seed: number, step: number): Float32Array {
  const kept = new Float32Array(count * units).fill(1);
  hide(kept, share, count, (row) => `hidden units of step ${step}, photo ${row}`, seed);
  return kept;
}

/** Sets a share of the values of each row to zero and scales the others by as much (inverted dropout). */
function hide(
  values: Uint8Array | Float32Array,
  share: number,
  rows: number,
  nameOf: (row: number) => string,
  seed: number,
): void {
  const width = values.length / rows;
  // A byte for each value: four of them cost one number.
  const hidden = Math.round(256 * share);
  const kept = 256 / (256 - hidden);
  for (let row = 0; row < rows; row++) {
    const random = Random.seeded(seed, nameOf(row));
    let bytes = 0;
    for (let place = 0, at = row * width; place < width; place++, at++) {
      bytes = place % 4 === 0 ? random.integer(2 ** 32) : bytes >>> 8;
      values[at] = (bytes & 255) < hidden ? 0 : values[at]! * kept;
    }
  }
}
