/** Pixel PCA: what an 8 x 8 thumbnail tells, without any learning beyond principal components. */

import type { Photos } from '../data/photos/image-cache.ts';
import type { Progress } from '../progress.ts';
import { type Descriptor, embedByDescriptor } from './descriptor.ts';

const THUMBNAIL = 8;
const CHANNELS = 3;

export const thumbnail: Descriptor = {
  stage: 'Pixel PCA',
  features: THUMBNAIL * THUMBNAIL * CHANNELS,
  components: 32,
  /** Mean colour of each cell by row and column, 0 to 1. (n, S, S, 3) → (n, 8 · 8 · 3) */
  describe(pixels, side) {
    const photoSize = side * side * CHANNELS;
    const cells = cellsOver(side);
    const photos = pixels.length / photoSize;
    const means = new Float32Array(photos * this.features);
    let next = 0;
    for (let photo = 0; photo < photos; photo++) {
      const image = pixels.subarray(photo * photoSize, (photo + 1) * photoSize);
      for (const rows of cells) {
        for (const columns of cells) {
          means.set(meanColour(image, side, rows, columns), next);
          next += CHANNELS;
        }
      }
    }
    return means;
  },
};

/** The pixels from … to - 1 of one axis. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** The thumbnail's cells along one axis. Neighbours share a pixel where the side is no multiple of 8. */
function cellsOver(side: number): Span[] {
  return Array.from({ length: THUMBNAIL }, (_, cell) => ({
    from: Math.floor((cell * side) / THUMBNAIL),
    to: Math.ceil(((cell + 1) * side) / THUMBNAIL),
  }));
}

function meanColour(image: Uint8Array, side: number, rows: Span, columns: Span): number[] {
  let [red, green, blue] = [0, 0, 0];
  for (let y = rows.from; y < rows.to; y++) {
    const end = (y * side + columns.to) * CHANNELS;
    for (let pixel = (y * side + columns.from) * CHANNELS; pixel < end; pixel += CHANNELS) {
      red += image[pixel]!;
      green += image[pixel + 1]!;
      blue += image[pixel + 2]!;
    }
  }
  const scale = 255 * (rows.to - rows.from) * (columns.to - columns.from);
  return [red / scale, green / scale, blue / scale];
}

/**
 * Embeds every photo as the first 32 principal components of its thumbnail, in rows of length 1. (M, 32)
 * @param fitRows photos of items known in the training period
 * @throws CourierError SPLIT_EMPTY when fitRows is empty
 */
export function embedByPixelPca(
  photos: Photos,
  fitRows: Int32Array,
  progress: Progress,
  signal?: AbortSignal,
): Promise<Float32Array> {
  return embedByDescriptor(thumbnail, photos, fitRows, progress, signal);
}
