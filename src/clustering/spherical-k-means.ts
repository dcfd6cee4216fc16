/** Spherical k-means: clusters of embeddings by direction, which is how embeddings are compared. */
import { NONE } from '../data/dataset.ts';
import type { StoredEmbeddings } from '../data/embeddings.ts';
import { CourierError } from '../errors.ts';
import type { Progress } from '../progress.ts';
import type { Random } from '../random.ts';
import type { CentreSearch, RowSource } from './centre-search.ts';
import { type KMeansOptions, kMeans } from './k-means.ts';
import { sphere } from './space.ts';

export interface SphericalClusters {
  /** Of length 1. (k, d) */
  readonly centres: Float32Array;
  /** The nearest centre of each item; NONE for an item whose vector is zero. (n) */
  readonly codes: Int32Array;
  /** Cosine of each item and its centre, 0 for an item without. (n) */
  readonly cosines: Float32Array;
  /** Items in each cluster, never 0. (k) */
  readonly sizes: Int32Array;
  /** Σ (1 − cosine) over the items. */
  readonly inertia: number;
  /** Passes over all items. */
  readonly iterations: number;
}

/** How far a squared length may be from 1: what float32, or a file in float16, leaves of unit length. */
const tolerance = 5e-3;

/**
 * Clusters embeddings so that Σ (1 − cos(x, centre)) is small (Dhillon and Modha, 2001). Items whose vector is zero
 * have no photo and are left out. The same random state gives the same clusters.
 * @param search of width d
 * @throws CourierError VALUE_INVALID naming an item whose vector is not finite or not of length 1 or 0; or when there
 * are fewer (different) items than clusters
 */
export async function sphericalKMeans(
  embeddings: StoredEmbeddings,
  options: KMeansOptions,
  search: CentreSearch,
  random: Random,
  progress: Progress,
  signal?: AbortSignal,
): Promise<SphericalClusters> {
  const items = random.shuffle(presentItems(embeddings));
  const rows = rowsOf(embeddings, items);
  const found = await kMeans(rows, options, { space: sphere, search, random, progress, signal });
  const codes = new Int32Array(embeddings.ids.length).fill(NONE);
  const cosines = new Float32Array(embeddings.ids.length);
  for (const [row, item] of items.entries()) {
    codes[item] = found.clusterOf[row]!;
    cosines[item] = 1 - found.losses[row]!;
  }
  const { centres, sizes, inertia, iterations } = found;
  return { centres, codes, cosines, sizes, inertia, iterations };
}

/**
 * The nearest of given centres for each item, such as items that are new since the clusters were made.
 * @param centres of length 1. (k, d)
 * @returns codes and cosines (n), NONE and 0 for an item whose vector is zero
 * @throws CourierError VALUE_INVALID as sphericalKMeans does
 */
export async function nearestCentres(
  embeddings: StoredEmbeddings,
  centres: Float32Array,
  search: CentreSearch,
  signal?: AbortSignal,
): Promise<Pick<SphericalClusters, 'codes' | 'cosines'>> {
  const items = presentItems(embeddings);
  const codes = new Int32Array(embeddings.ids.length).fill(NONE);
  const cosines = new Float32Array(embeddings.ids.length);
  await search.setCentres(centres);
  for await (const { from, nearest, product } of search.find(rowsOf(embeddings, items))) {
    signal?.throwIfAborted();
    for (let i = 0; i < nearest.length; i++) {
      codes[items[from + i]!] = nearest[i]!;
      cosines[items[from + i]!] = product[i]!;
    }
  }
  return { codes, cosines };
}

/**
 * Numbers of the items whose vector is not zero.
 * @throws CourierError VALUE_INVALID
 */
export function presentItems({ ids, dimension, vectors }: StoredEmbeddings): Int32Array {
  const present = new Int32Array(ids.length);
  let count = 0;
  for (let item = 0; item < ids.length; item++) {
    let squared = 0;
    for (let i = item * dimension; i < (item + 1) * dimension; i++) squared += vectors[i]! * vectors[i]!;
    if (!Number.isFinite(squared)) throw invalid(`the embedding of item ${ids[item]} is not finite`);
    if (squared === 0) continue;
    if (Math.abs(squared - 1) > tolerance)
      throw invalid(`the embedding of item ${ids[item]} has length ${Math.sqrt(squared)}, not 1 or 0`);
    present[count++] = item;
  }
  return present.slice(0, count);
}

/** The vectors of items, in the order of their numbers. */
function rowsOf({ dimension, vectors }: StoredEmbeddings, items: Int32Array): RowSource {
  return {
    count: items.length,
    read(from, to) {
      const rows = new Float32Array((to - from) * dimension);
      for (let row = from; row < to; row++) {
        const at = items[row]! * dimension;
        rows.set(vectors.subarray(at, at + dimension), (row - from) * dimension);
      }
      return rows;
    },
    row(index) {
      const at = items[index]! * dimension;
      return vectors.subarray(at, at + dimension);
    },
  };
}

function invalid(problem: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `Embeddings cannot be clustered: ${problem}.`,
    'Embed the catalogue again, and scale each embedding to length 1.',
  );
}
