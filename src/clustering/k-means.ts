/** K-means by Lloyd's iterations over batches that grow until they hold every row. */
import { CourierError } from '../errors.ts';
import type { Progress } from '../progress.ts';
import type { Random } from '../random.ts';
import { counted, integer } from '../text.ts';
import type { CentreSearch, RowSource, SummedRows } from './centre-search.ts';
import { countDifferent } from './different-rows.ts';
import { type Initialization, initialCentres } from './initialization.ts';
import { Membership } from './membership.ts';
import type { Space } from './space.ts';

export interface KMeansOptions {
  /** Clusters k. */
  readonly clusters: number;
  readonly initialization: Initialization;
  /** Passes over all rows at most. */
  readonly iterations: number;
  /** Stop once a pass over all rows lowers the inertia by less than this share. */
  readonly tolerance: number;
  /** Stop once the inertia over all rows is as low as this. */
  readonly goal?: number;
}

export const kMeansDefaults = { initialization: 'k-means++', iterations: 25, tolerance: 3e-4 } as const;

export interface KMeansResult {
  /** (k, width) */
  readonly centres: Float32Array;
  /** The cluster of each row: that of its nearest centre. (n) */
  readonly clusterOf: Int32Array;
  /** (n) */
  readonly losses: Float32Array;
  /** Rows in each cluster, never 0. (k) */
  readonly sizes: Int32Array;
  /** The sum of all losses. */
  readonly inertia: number;
  /** Passes over all rows. */
  readonly iterations: number;
}

interface Surroundings {
  /** What the rows are, for errors. */
  readonly rows: string;
  readonly space: Space;
  readonly search: CentreSearch;
  readonly random: Random;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** Rows per cluster in the first batch, and rows at least. */
const [firstRowsPerCluster, firstRows] = [64, 16_384];
/** A batch has seen enough once a pass over it lowers the inertia by less than this share: then it grows. */
const [growthTolerance, growth] = [0.002, 4];

/**
 * Clusters rows that come in random order, so that the first of them are a sample of all.
 *
 * Early passes only have to find out roughly where the centres lie, for which a sample does; the last ones move them
 * by little, for which every row counts. So a pass goes over a first part of the rows, which grows as soon as
 * passes over it gain little (Newling and Fleuret, 2016).
 * @throws CourierError VALUE_INVALID when there are fewer different rows than clusters
 */
export async function kMeans(
  source: SummedRows,
  options: KMeansOptions,
  surroundings: Surroundings,
): Promise<KMeansResult> {
  const { clusters, iterations, tolerance, initialization, goal = 0 } = options;
  const { rows, space, search, random, progress, signal } = surroundings;
  const n = source.count;
  const different = countDifferent(source, clusters);
  if (different < clusters) throw tooFew(rows, n, different, clusters);
  const stage = `Cluster into ${integer(clusters)}`;
  progress({ kind: 'start', stage, total: 0, unit: 'assignments' });
  let batch = firstBatch(n, clusters);
  const first = part(source, batch);
  const centres = await initialCentres(initialization, first, clusters, space, search, random, signal);
  const membership = new Membership(n, clusters, search.width, space);
  let [before, inertia, passes, assigned] = [Number.POSITIVE_INFINITY, 0, 0, 0];

  const pass = async () => {
    await search.setCentres(centres);
    inertia = 0;
    for await (const chunk of search.find(source, 0, batch)) {
      inertia += membership.assign(source, chunk);
      signal?.throwIfAborted();
      const detail = `${integer(batch)} of ${integer(n)} items`;
      progress({ kind: 'advance', stage, done: assigned + chunk.from + chunk.nearest.length, detail });
    }
    assigned += batch;
  };

  for (;;) {
    await pass();
    const gain = shareGained(before, inertia);
    before = inertia;
    if (batch === n && (++passes >= iterations || gain < tolerance || inertia <= goal)) break;
    membership.reseed(source, batch);
    membership.settle(centres, () => true);
    if (batch < n && gain < growthTolerance) {
      batch = Math.min(n, growth * batch);
      before = Number.POSITIVE_INFINITY;
    }
  }
  // The last pass may have emptied clusters. Only their centres move now, so that all others stay the nearest: the
  // inertia falls with each round, unless what is left over is equal to its centre.
  before = Number.POSITIVE_INFINITY;
  while (membership.empty > 0 && inertia < before) {
    before = inertia;
    const filled = membership.reseed(source, n);
    membership.settle(centres, (cluster) => filled.has(cluster));
    await pass();
  }
  if (membership.empty > 0) throw tooFew(rows, n, clusters - membership.empty, clusters);
  progress({ kind: 'end', stage, detail: `${passes} passes over all items` });
  const { clusterOf, losses, sizes } = membership;
  return { centres, clusterOf, losses, sizes, inertia, iterations: passes };
}

function firstBatch(rows: number, clusters: number): number {
  return Math.min(rows, Math.max(firstRowsPerCluster * clusters, firstRows));
}

/**
 * Items in random order, made ascending among those that join the batches together. They stay a sample of all, and are read
 * in the order in which they lie in memory. In place.
 */
export function ascendingWithinBatches(items: Int32Array, clusters: number): Int32Array {
  for (let from = firstBatch(items.length, clusters); from < items.length; from *= growth)
    items.subarray(from, growth * from).sort();
  return items;
}

/** By which share a pass lowered the inertia; the first by all. */
function shareGained(before: number, inertia: number): number {
  if (before === Number.POSITIVE_INFINITY) return 1;
  return before === 0 ? 0 : (before - inertia) / before;
}

/** The first rows of a source. */
function part(source: RowSource, count: number): RowSource {
  return { ...source, count };
}

function tooFew(rows: string, count: number, different: number, clusters: number): CourierError {
  const all = `${integer(count)} ${rows}`;
  // Those that are zero belong to no cluster, and are not counted.
  if (count === 0) {
    const nothing = `There is nothing to cluster: the vectors of all ${rows} are zero.`;
    return new CourierError('VALUE_INVALID', nothing, 'Check what made them.');
  }
  const [few, which] =
    different < count
      ? [`different ${rows}`, `${all}, ${integer(different)} of them different`]
      : [rows, all];
  return new CourierError(
    'VALUE_INVALID',
    `There are fewer ${few} than clusters: ${which}, for ${integer(clusters)} clusters.`,
    `Ask for at most ${counted(different, 'clusters')}.`,
  );
}
