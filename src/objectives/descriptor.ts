/** Embeddings that need no learning: a fixed description of each photo, reduced by PCA. */
import type { Photos } from '../data/photos/image-cache.ts';
import { CourierError } from '../errors.ts';
import { Moments, type Pca, pcaOfMoments } from '../linear-algebra/pca.ts';
import { type Progress, safePlace } from '../progress.ts';

export interface Descriptor {
  /** Names the work in progress events. */
  readonly stage: string;
  /** Length of the description of one photo. */
  readonly features: number;
  /** Length of the embedding. */
  readonly components: number;
  /** Describes photos of the given side. (n, S, S, 3) → (n, features) */
  describe(pixels: Uint8Array, side: number): Float32Array;
}

/** Photos in memory at a time. */
const BATCH = 256;

/** So many photos determine the few components; more would only cost time. */
const MOST_FITTED = 8_192;

/**
 * Describes every photo, reduces the descriptions to their principal components and scales each row to
 * length 1, for comparison by cosine. A row without any deviation from the mean stays zero.
 *
 * @param fitRows the photos that PCA may learn from: those of items known in the training period. Of more
 *   than 8,192, that many at equal distances are used.
 * @returns row m belongs to photo m. (M, components)
 * @throws CourierError SPLIT_EMPTY when there is no photo to fit on
 */
export async function embedByDescriptor(
  descriptor: Descriptor,
  photos: Photos,
  fitRows: Int32Array,
  progress: Progress,
  signal?: AbortSignal,
  batch = BATCH,
): Promise<Float32Array> {
  if (fitRows.length === 0) {
    throw new CourierError(
      'SPLIT_EMPTY',
      'No item of the training period has a photo, so there is nothing to fit the principal components on.',
      'Check the image folder and the column that names the photos, or give the training period more data.',
    );
  }
  const { stage, components } = descriptor;
  const fitted = atEqualDistances(fitRows, MOST_FITTED);
  const rows = Int32Array.from({ length: photos.count }, (_, row) => row);
  progress({ kind: 'start', stage, total: fitted.length + rows.length, unit: 'photos' });
  const pca = await fitPca(descriptor, photos, fitted, progress, signal, batch);
  const embeddings = new Float32Array(rows.length * components);
  for await (const { start, described } of describeInBatches(descriptor, photos, rows, signal, batch)) {
    embeddings.set(pca.project(described), start * components);
    progress({ kind: 'advance', stage, done: fitted.length + Math.min(start + batch, rows.length) });
  }
  normaliseRows(embeddings, components);
  progress({ kind: 'end', stage });
  return embeddings;
}

function atEqualDistances(rows: Int32Array, most: number): Int32Array {
  if (rows.length <= most) return rows;
  return Int32Array.from({ length: most }, (_, i) => rows[Math.floor((i * rows.length) / most)]!);
}

async function fitPca(
  descriptor: Descriptor,
  photos: Photos,
  fitRows: Int32Array,
  progress: Progress,
  signal: AbortSignal | undefined,
  batch: number,
): Promise<Pca> {
  const moments = new Moments(descriptor.features);
  for await (const { start, described } of describeInBatches(descriptor, photos, fitRows, signal, batch)) {
    moments.add(described);
    progress({
      kind: 'advance',
      stage: descriptor.stage,
      done: Math.min(start + batch, fitRows.length),
    });
  }
  return pcaOfMoments(moments, descriptor.components);
}

async function* describeInBatches(
  descriptor: Descriptor,
  photos: Photos,
  rows: Int32Array,
  signal: AbortSignal | undefined,
  batch: number,
) {
  for (let start = 0; start < rows.length; start += batch) {
    const pixels = photos.read(rows.subarray(start, start + batch));
    yield { start, described: descriptor.describe(pixels, photos.side) };
    await safePlace(signal);
  }
}

/** Scales every row to Euclidean length 1, in place. Rows of length zero stay. */
export function normaliseRows(rows: Float32Array, width: number): void {
  for (let start = 0; start < rows.length; start += width) {
    const row = rows.subarray(start, start + width);
    const length = Math.hypot(...row);
    if (length === 0) continue;
    for (let i = 0; i < width; i++) row[i] = row[i]! / length;
  }
}
