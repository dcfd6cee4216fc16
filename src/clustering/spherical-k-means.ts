/** Spherical k-means: clusters of embeddings by direction, which is how embeddings are compared. */
import { NONE } from '../data/dataset.ts';
import type { StoredEmbeddings } from '../data/embeddings/embeddings.ts';
import type { Progress } from '../progress.ts';
import type { Random } from '../random.ts';
import type { CentreSearch } from './centre-search.ts';
import { ascendingWithinBatches, type KMeansOptions, kMeans } from './k-means.ts';
import { sphere } from './space.ts';
import { presentItems, unitRows } from './unit-rows.ts';

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

/**
 * Clusters embeddings so that Σ (1 − cos(x, centre)) is small (Dhillon and Modha, 2001). Items whose vector is zero
 * have no photo and are left out. The same random state gives the same clusters.
 * @param embeddings of length about 1, to which they are brought, or 0. (n, d)
 * @param search of width d
 * @throws CourierError VALUE_INVALID naming an item whose vector is not finite or not of length about 1 or 0; or when
 * there are fewer different items than clusters
 */
export async function sphericalKMeans(
  embeddings: StoredEmbeddings,
  options: KMeansOptions,
  search: CentreSearch,
  random: Random,
  progress: Progress,
  signal?: AbortSignal,
): Promise<SphericalClusters> {
  const items = ascendingWithinBatches(random.shuffle(presentItems(embeddings)), options.clusters);
  const found = await kMeans(unitRows(embeddings, items), options, {
    rows: 'items',
    space: sphere,
    search,
    random,
    progress,
    signal,
  });
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
  for await (const { from, nearest, product } of search.find(unitRows(embeddings, items))) {
    signal?.throwIfAborted();
    for (let i = 0; i < nearest.length; i++) {
      codes[items[from + i]!] = nearest[i]!;
      cosines[items[from + i]!] = Math.min(1, product[i]!);
    }
  }
  return { codes, cosines };
}
